// The bar that floats under a list once rows are picked: counts, picks all, picks a range with
// Shift, lets go with Esc. The checkboxes belong to its form, so a plain submit carries them.
import { on, say, typing } from "./dom.js";
import { covered } from "./layers.js";

let last = null;
const bar = () => document.querySelector("[data-bulk]");
const picks = () => [...document.querySelectorAll("main .pick")];
const picked = () => picks().filter((box) => box.checked);

function show() {
  const chosen = picked().length;
  const head = document.querySelector("[data-pick-all]");
  if (head) {
    head.checked = chosen > 0 && chosen === picks().length;
    head.indeterminate = chosen > 0 && !head.checked;
  }
  if (!bar()) return;
  bar().classList.toggle("on", chosen > 0);
  bar().querySelector("[data-count]").textContent = chosen;
}

function clear() {
  picks().forEach((box) => { box.checked = false; });
  show();
}

on("click", ".pick", (event, box) => {
  const list = picks();
  if (event.shiftKey && last && list.includes(last)) {
    const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
    list.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
  }
  last = box;
  show();
  say(`已选 ${picked().length} 条`);
});
on("change", "[data-pick-all]", (_event, head) => {
  picks().forEach((box) => { box.checked = head.checked; });
  show();
});
on("click", "[data-bulk-clear]", clear);
on("click", "[data-bulk] [data-dialog]", (event, button) => {
  event.preventDefault();
  const query = new URLSearchParams(picked().map((box) => [box.name, box.value]));
  const url = button.dataset.dialog + (button.dataset.dialog.includes("?") ? "&" : "?") + query;
  window.htmx.ajax("GET", url, { target: "#dialog", swap: "innerHTML" });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !covered() && !typing(event) && picked().length) clear();
});
document.addEventListener("htmx:afterSettle", show);
show();
