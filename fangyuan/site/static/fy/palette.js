// The command palette: one box for customers, people, clauses and actions. Results come from the
// server as a fragment, filtered by rights; an empty box lists what was opened last, and this adds
// what the page at hand can do. `>` asks for actions only, `#` for clauses only.
import { icon, on, say } from "./dom.js";
import { open } from "./layers.js";

const box = document.getElementById("palette");
const ask = box?.querySelector("input");
const list = box?.querySelector("[role=listbox]");
let waiting = 0;
let running = null;

function option(item) {
  const row = document.createElement("div");
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  const link = document.createElement("a");
  link.href = item.url;
  link.tabIndex = -1;
  const label = document.createElement("span");
  label.textContent = item.label;
  link.append(icon(item.icon || "right"), label);
  row.append(link);
  return row;
}

function section(title, items) {
  if (!items.length) return [];
  const head = document.createElement("div");
  head.className = "pop-h";
  head.setAttribute("role", "presentation");
  head.textContent = title;
  return [head, ...items.map(option)];
}

function here(words) {
  const links = document.querySelectorAll(":is(.page-head, .rec-h) .acts a.btn[href]");
  return [...links]
    .map((link) => ({ label: link.innerText.split("\n")[0].trim(), url: link.href }))
    .filter((item) => item.label && item.label.includes(words));
}

const options = () => [...list.querySelectorAll("[role=option]")];
const current = () => list.querySelector("[aria-selected=true]");

function choose(row) {
  current()?.setAttribute("aria-selected", "false");
  if (!row) return ask.removeAttribute("aria-activedescendant");
  row.setAttribute("aria-selected", "true");
  row.id ||= `choice-${options().indexOf(row)}`;
  ask.setAttribute("aria-activedescendant", row.id);
  return row.scrollIntoView({ block: "nearest" });
}

function settle(query) {
  options().forEach((row, at) => { row.id = `choice-${at}`; });
  choose(options()[0]);
  if (query) say(options().length ? `${options().length} 条结果` : "没有结果");
}

async function search() {
  const query = ask.value.trim();
  running?.abort();
  running = new AbortController();
  const local = query
    ? section("这一页", query.startsWith(">") ? here(query.slice(1).trim()) : [])
    : section("这一页", here(""));
  try {
    const answer = await fetch(`${box.dataset.url}?q=${encodeURIComponent(query)}`, {
      headers: { "HX-Request": "true" }, signal: running.signal,
    });
    if (!answer.ok) throw new Error(answer.status);
    if (new URL(answer.url).pathname === "/login") return location.reload();
    list.innerHTML = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    const why = error instanceof TypeError ? "网络断了，连上后再试" : "服务器出错，过一会儿再试";
    list.innerHTML = `<div class="empty"><b>搜不了</b><span>${why}</span></div>`;
  }
  if (local.length) list.querySelector(".empty")?.remove();
  list.append(...local);
  return settle(query);
}

function go(event) {
  const link = current()?.querySelector("a, button");
  if (!link) return;
  event.preventDefault();
  if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
  else { box.close(); link.click(); }
}

if (box) {
  box.addEventListener("fy:open", () => { ask.select(); search(); });
  ask.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });
  ask.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const rows = options();
      choose(rows[(rows.indexOf(current()) + step + rows.length) % rows.length]);
    } else if (event.key === "Enter") go(event);
  });
  on("pointermove", "#palette [role=option]", (_event, row) => {
    if (row.getAttribute("aria-selected") !== "true") choose(row);
  });
  on("click", "#palette [role=option] a", () => box.close());
  document.addEventListener("keydown", (event) => {
    if (!(event.metaKey || event.ctrlKey) || event.shiftKey || event.key !== "k") return;
    event.preventDefault();
    if (box.open) box.close();
    else open("palette");
  });
}
