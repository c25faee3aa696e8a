// Dragging a card to another lane. The menu 「移到…」 on every card does the same without a mouse.
// The card moves at once; what is refused moves it back, and the lane says what is lacking.
import { on, say } from "./dom.js";

const CARD = ".kc[data-move]";
const LANE = ".lane[data-stage]";
let held = null;

function clear() {
  document.querySelectorAll(`${LANE}.over`).forEach((lane) => lane.classList.remove("over"));
}

function slot(lane) {
  let place = lane.querySelector("[data-lacking]");
  if (!place) {
    place = document.createElement("div");
    place.dataset.lacking = "";
    lane.querySelector("header").after(place);
  }
  return place;
}

function put(card, lane, before) {
  lane.insertBefore(card, before?.parentElement === lane ? before : null);
}

async function move(card, lane) {
  const home = card.closest(LANE);
  const next = card.nextElementSibling;
  const place = slot(lane);
  document.querySelectorAll("[data-lacking]").forEach((other) => other.replaceChildren());
  document.querySelectorAll(`${LANE}.drop`).forEach((other) => other.classList.remove("drop"));
  put(card, lane, lane.querySelector(CARD));
  let status = 0;
  const seen = (event) => { status = event.detail.xhr.status; };
  card.addEventListener("htmx:afterRequest", seen, { once: true });
  await window.htmx.ajax("POST", card.dataset.move, {
    source: card, target: place, swap: "innerHTML", values: { to: lane.dataset.stage },
  });
  if (status >= 200 && status < 300) return say("已移动");
  put(card, home, next);
  if (place.firstElementChild) {
    lane.classList.add("drop");
    place.scrollIntoView({ block: "nearest" });
    say(place.textContent.trim());
  }
  return undefined;
}

on("dragstart", CARD, (event, card) => {
  held = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.querySelector("h3, h4")?.textContent || "");
  // The picture that follows the pointer is taken first, then the card left behind turns pale.
  setTimeout(() => card.classList.add("ghost"));
});
on("dragend", CARD, (_event, card) => {
  card.classList.remove("ghost");
  held = null;
  clear();
});
on("dragover", LANE, (event, lane) => {
  if (!held) return;
  event.preventDefault();
  if (lane.classList.contains("over")) return;
  clear();
  if (lane !== held.closest(LANE)) lane.classList.add("over");
});
on("drop", LANE, (event, lane) => {
  if (!held) return;
  event.preventDefault();
  clear();
  if (lane !== held.closest(LANE)) move(held, lane);
});
