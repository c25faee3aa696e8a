// Toasts: what was just done, with eight seconds to undo it. They come from the event `toast`
// (header `HX-Trigger: {"toast": {"text", "undo_url"}}`) and from messages in the page.
import { all, on, say, token } from "./dom.js";

const SECONDS = 8;
const region = () => document.getElementById("toasts");

function leave(box) {
  box.classList.add("away");
  setTimeout(() => box.remove(), 200);
}

function count(box) {
  let left = SECONDS;
  const number = box.querySelector("button .n");
  const tick = setInterval(() => {
    if (!box.isConnected) return clearInterval(tick);
    // Time stands still while the pointer or the focus rests on it.
    if (box.matches(":hover, :focus-within")) return undefined;
    left -= 1;
    if (number) number.textContent = left;
    if (left > 0) return undefined;
    clearInterval(tick);
    return leave(box);
  }, 1000);
  if (number) number.textContent = left;
}

function undoForm(url) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  form.setAttribute("hx-post", url);
  form.setAttribute("hx-swap", "none");
  const hidden = document.createElement("input");
  Object.assign(hidden, { type: "hidden", name: "csrfmiddlewaretoken", value: token() });
  const button = document.createElement("button");
  const number = document.createElement("span");
  number.className = "n";
  button.append("撤销 ", number);
  form.append(hidden, button);
  return form;
}

function show({ text, value, undo_url: undo, tone }) {
  const said = text || value;
  if (!said || !region()) return;
  const box = document.createElement("div");
  box.className = `toast ${tone || ""}`;
  const words = document.createElement("span");
  words.textContent = said;
  box.append(words);
  if (undo) box.append(undoForm(undo));
  // Three at most; a new one pushes the oldest away.
  while (region().children.length > 2) region().firstElementChild.remove();
  region().append(box);
  if (undo && window.htmx) window.htmx.process(box);
  count(box);
}

document.addEventListener("toast", (event) => show(event.detail || {}));
all(document, "[data-toast]").forEach(count);
on("submit", ".toast form", (event, form) => {
  if (form.hasAttribute("hx-post")) setTimeout(() => leave(form.closest(".toast")));
});

const REASONS = {
  0: "没存上，网络断了。内容还在。",
  400: "没存上，内容里有认不出的部分。改好再试。",
  403: "这一步不归你做，没有存。",
  404: "这条记录找不到了，可能已被移走。",
  413: "没存上，文件太大。换个小一点的。",
  429: "太快了，过一会儿再试。",
};

function failed(event) {
  const { xhr } = event.detail;
  if (/"toast"/.test(xhr.getResponseHeader?.("HX-Trigger") || "")) return;
  const text = REASONS[xhr.status] || `没存上，服务器出错（${xhr.status}）。内容还在。`;
  show({ text, tone: "soon" });
  say(text);
}

document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:timeout", failed);
// A session that has ended answers with the sign-in page: go there, do not paste it in.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { pathname } = new URL(event.detail.xhr.responseURL || location.href);
  if (pathname !== "/login" || location.pathname === "/login") return;
  event.detail.shouldSwap = false;
  const back = encodeURIComponent(location.pathname + location.search);
  location.assign(`/login?next=${back}`);
});
