// Menus are details[data-menu]: they open without script; with it they close by themselves,
// turn at the edge of the window and follow the arrow keys.
import { on } from "./dom.js";

const opened = () => document.querySelectorAll("details[data-menu][open]");
const choices = (menu) => [...menu.querySelectorAll(".pop :is(a, button, input):not([hidden])")];

function fit(menu) {
  const pop = menu.querySelector(".pop");
  if (!pop || !menu.matches(".menu")) return;
  menu.classList.remove("end", "up");
  const box = pop.getBoundingClientRect();
  if (box.right > document.documentElement.clientWidth - 8) menu.classList.add("end");
  if (box.bottom > innerHeight - 8 && box.height < menu.getBoundingClientRect().top) {
    menu.classList.add("up");
  }
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !("menu" in menu.dataset) || !menu.open) return;
  opened().forEach((other) => { if (other !== menu && !other.contains(menu)) other.open = false; });
  fit(menu);
}, true);
document.addEventListener("click", (event) => {
  opened().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
on("click", "details[data-menu] .pop :is(a, button)", (_event, choice) => {
  if (!choice.closest("[data-stay]")) choice.closest("details").open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const list = choices(menu);
  const at = list.indexOf(document.activeElement);
  list[(at + step + list.length) % list.length]?.focus();
}, true);
