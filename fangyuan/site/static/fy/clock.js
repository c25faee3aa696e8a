// Countdowns: the page brings only the due moment, this ticks once a second. It stops in a hidden
// tab, sets itself by the server every minute, and speaks at one hour, a quarter, and when due.
import { all, say } from "./dom.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PLAIN = document.querySelector("link[rel=icon]")?.href || "/";
const SPOKEN = [[HOUR, "还剩 1 小时"], [15 * MINUTE, "还剩 15 分"], [0, "到期了"]];
const before = new WeakMap();
let ahead = Date.parse(document.body.dataset.now || "") - Date.now() || 0;
const fixed = Math.abs(ahead) > HOUR; // a page drawn for another day keeps its own time
let ticking = 0;

const now = () => Date.now() + ahead;
const two = (number) => String(number).padStart(2, "0");

function overdue(length) {
  const minutes = Math.floor(length / MINUTE);
  if (minutes < 1) return "刚到期";
  if (minutes < 60) return `逾 ${minutes} 分`;
  if (length < DAY) return `逾 ${Math.floor(minutes / 60)} 小时`;
  return `逾 ${Math.floor(length / DAY)} 天`;
}

function words(left) {
  if (left <= 0) return overdue(-left);
  if (left > DAY) return `${Math.floor(left / DAY)} 天`;
  const seconds = Math.floor(left / 1000);
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function tone(left, whole) {
  if (left <= 0) return "bad";
  return left <= 8 * HOUR || (whole && left <= whole / 4) ? "soon" : "";
}

function speak(clock, left) {
  const was = before.get(clock);
  before.set(clock, left);
  if (was === undefined) return;
  const passed = SPOKEN.find(([mark]) => was > mark && left <= mark);
  if (!passed) return;
  const title = clock.closest("[data-row], tr, li")?.querySelector("h3, h4, .name")?.textContent;
  say(`${title ? `${title.trim()}：` : ""}${passed[1]}`);
}

function draw(clock) {
  const due = Date.parse(clock.dataset.due);
  if (Number.isNaN(due)) return;
  const start = Date.parse(clock.dataset.start || "");
  const left = due - now();
  const whole = due - start || 0;
  const text = words(left);
  if (clock.textContent !== text) clock.textContent = text;
  const mood = tone(left, whole);
  clock.classList.toggle("soon", mood === "soon");
  clock.classList.toggle("bad", mood === "bad");
  if (whole > 0 && !clock.classList.contains("flat")) {
    const share = left <= 0 ? 1 : Math.min(1, left / whole);
    clock.classList.add("live");
    clock.style.setProperty("--p", `${(share * 100).toFixed(1)}%`);
  }
  speak(clock, left);
}

function tick() {
  all(document, "time.cd[data-due]").forEach(draw);
}

async function calibrate() {
  if (fixed || document.hidden) return;
  try {
    const sent = Date.now();
    const answer = await fetch(PLAIN, { method: "HEAD", cache: "no-store" });
    const stamp = Date.parse(answer.headers.get("Date") || "");
    // The header has whole seconds, so a small difference says nothing.
    const found = stamp + (Date.now() - sent) / 2 - Date.now();
    if (!Number.isNaN(stamp) && Math.abs(found - ahead) > 1500) ahead = found;
  } catch { /* offline: go on by the clock of this machine */ }
}

function run() {
  clearInterval(ticking);
  if (document.hidden) return;
  tick();
  ticking = setInterval(tick, 1000);
}

document.addEventListener("visibilitychange", run);
document.addEventListener("htmx:load", ({ detail }) => {
  all(detail.elt, "time.cd[data-due]").forEach(draw);
});
setInterval(calibrate, MINUTE);
run();
