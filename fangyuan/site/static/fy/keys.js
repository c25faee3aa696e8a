// The keyboard: J K Enter X on rows, C and G sequences, single keys that a page offers with
// data-key, `/` to search, `?` for the table. Never while the user is writing.
import { typing } from "./dom.js";
import { covered, open } from "./layers.js";

const PAUSE = 1200;
let prefix = "";
let forget = 0;

const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const rows = () => [...document.querySelectorAll("main [data-row]")].filter(visible);
const row = () => document.querySelector("main .cur[data-row]");

function move(step) {
  const list = rows();
  if (!list.length) return;
  const at = list.indexOf(row());
  const next = list[Math.max(0, Math.min(list.length - 1, at + step))] || list[0];
  row()?.classList.remove("cur");
  next.classList.add("cur");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a[href], button")?.focus({ preventScroll: true });
  // In a split page the right side follows the row.
  if ("live" in next.dataset) next.querySelector("a[href]")?.click();
}

function press(selector) {
  const found = [...document.querySelectorAll(selector)].find(visible);
  if (!found) return false;
  if (found.matches("input:not([type=checkbox]), textarea, select")) found.focus();
  else found.click();
  return true;
}

function follow(selector) {
  // A quick entry sits in a closed dialog, so it cannot be clicked by sight.
  const link = document.querySelector(selector);
  if (link) link.click();
  return Boolean(link);
}

function sequence(key) {
  const first = prefix;
  prefix = "";
  if (first === "c") return follow(`#quick [data-new="${key}"]`);
  if (first === "g") return follow(`.nav [data-go="${key}"]`);
  return false;
}

function single(key) {
  if (key === "j") return move(1);
  if (key === "k") return move(-1);
  if (key === "x") return row()?.querySelector(".ck:not(:disabled)")?.click();
  if (key === "m") return press("main [data-note], main [data-key=m]");
  if (key === "/") return press("main [data-search]") || open("palette");
  if (key === "?") return open("keys");
  if (key === "c" && document.querySelector("#quick [data-new]")) return start("c");
  if (key === "g") return start("g");
  return press(`main :is([data-key="${key}"], [data-new="${key}"])`);
}

function start(key) {
  prefix = key;
  clearTimeout(forget);
  forget = setTimeout(() => { prefix = ""; }, PAUSE);
  return true;
}

function enter(event) {
  const at = row();
  if (!at?.dataset.row || document.activeElement !== document.body) return;
  event.preventDefault();
  location.assign(at.dataset.row);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event)) return;
  const layer = covered();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (layer) {
    if (layer.id === "quick" && /^[a-z]$/.test(key)) follow(`#quick [data-new="${key}"]`);
    return;
  }
  if (key === "Enter") return enter(event);
  if (!/^[a-z/?]$/.test(key)) return;
  if (prefix ? sequence(key) : single(key) !== false) event.preventDefault();
});
