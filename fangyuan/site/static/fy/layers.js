// Dialogs, the drawer and the phone's side menu. The dialog element keeps the focus in and gives
// it back; fragments arrive by htmx in #dialog or #drawer.
import { on } from "./dom.js";

const LAYERS = ["dialog", "drawer"];
const FIELD = ":is(input:not([type=hidden]), select, textarea)";
const FIRST = `[aria-invalid=true], [autofocus], .card-b ${FIELD}`;

/** Open a dialog by id; false if there is none or it is open. */
export function open(id) {
  const box = document.getElementById(id);
  if (!(box instanceof HTMLDialogElement) || box.open) return false;
  document.querySelectorAll("dialog[open]").forEach((other) => other.close());
  box.showModal();
  box.dispatchEvent(new CustomEvent("fy:open"));
  return true;
}

/** Whether anything lies over the page. */
export const covered = () => document.querySelector("dialog[open]");

function load(url, id) {
  window.htmx.ajax("GET", url, { target: `#${id}`, swap: "innerHTML" });
}

on("click", "[data-open]", (event, button) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (open(button.dataset.open)) event.preventDefault();
});
on("click", "[data-close]", (event, button) => {
  const box = button.closest("dialog");
  if (!box) return;
  event.preventDefault();
  box.close();
});
on("click", "dialog", (event, box) => {
  // Only the backdrop has the dialog itself as its target.
  if (event.target === box && !box.querySelector("form[data-draft]")) box.close();
});
on("click", "[data-dialog], [data-drawer]", (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || link.closest("[data-bulk]")) return;
  event.preventDefault();
  const url = link.dataset.dialog || link.dataset.drawer || link.getAttribute("href");
  load(url, "dialog" in link.dataset ? "dialog" : "drawer");
});

document.addEventListener("htmx:afterSwap", (event) => {
  const box = event.detail.target;
  if (!box || !LAYERS.includes(box.id)) return;
  if (!box.firstElementChild) box.close();
  else if (!box.open) {
    document.querySelectorAll("dialog[open]").forEach((other) => other.close());
    box.showModal();
  }
  box.querySelector(FIRST)?.focus();
});
// A form in a layer that was accepted without an answer to show closes its layer.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr, requestConfig } = event.detail;
  const box = elt.closest?.("dialog");
  if (box && requestConfig?.verb !== "get" && xhr.status === 204) box.close();
});
LAYERS.forEach((id) => {
  const box = document.getElementById(id);
  box?.addEventListener("close", () => box.replaceChildren());
});

// The side menu on a phone: without script the anchor opens it by :target.
const side = document.getElementById("side");
function slide(out) {
  side.classList.toggle("open", out);
  document.querySelector(".burger")?.setAttribute("aria-expanded", String(out));
  if (out) side.querySelector("[aria-current], .nav a")?.focus();
  else document.querySelector(".burger")?.focus();
}
if (side) {
  on("click", ".burger", (event) => { event.preventDefault(); slide(true); });
  on("click", ".side-x, .side-scrim", (event) => { event.preventDefault(); slide(false); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.classList.contains("open")) slide(false);
  });
}
