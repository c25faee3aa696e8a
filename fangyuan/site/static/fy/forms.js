// Comforts of every form: Ctrl or ⌘ with Enter sends it, a second press sends nothing twice, and
// what was refused puts the focus on the first field to correct. A chosen file is named.
import { on } from "./dom.js";

const PAUSE = 5000;
const sent = new Map();

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest?.("form");
  if (!form || form.closest("[data-bulk]")) return;
  event.preventDefault();
  form.requestSubmit();
});

on("submit", "form[method=post]:not([hx-post], [data-offline])", (event, form) => {
  const again = Date.now() - (sent.get(form) || 0) < PAUSE;
  if (again) event.preventDefault();
  else if (!event.defaultPrevented) sent.set(form, Date.now());
});
addEventListener("pageshow", () => sent.clear());

on("change", "input[type=file]", (_, input) => {
  input.closest("label").querySelector("[data-file]").textContent = input.files[0]?.name ?? "";
});

document.querySelector("main form [aria-invalid=true]")?.focus();
