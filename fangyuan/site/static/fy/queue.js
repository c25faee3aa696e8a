// Submissions without a connection: form[data-offline] is sent by script; if the line is down it
// is kept on this machine and sent later, in order. A redirect or 204 means the server took it.
// Every submission carries a token (X-Fy-Once), so one that arrived twice counts once.
import { mine, on, say, toast, token } from "./dom.js";
import { forget, keep, name, values } from "./drafts.js";
import { drop, list, put } from "./store.js";

const PATIENCE = 20_000;
const AGAIN = 30_000;
const STORED = "已存在本机，联网后自动提交";
const OWNER = mine("queue");
let sending = false;

class Refused extends Error {}
class SignedOut extends Error {}

/** This moment on this machine, with its offset. */
export function stamp(at = new Date()) {
  const away = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + away * 60_000).toISOString().slice(0, 19);
  const part = (number) => String(Math.trunc(Math.abs(number))).padStart(2, "0");
  return `${local}${away < 0 ? "-" : "+"}${part(away / 60)}:${part(away % 60)}`;
}

async function post(item) {
  const body = new FormData();
  item.fields.forEach(([name, value]) => body.append(name, value));
  body.set("csrfmiddlewaretoken", token());
  const headers = { "X-CSRFToken": token(), "X-Fy-Once": item.once };
  if (item.waited) headers["X-Fy-Offline"] = item.at;
  const answer = await fetch(item.url, {
    method: "POST", body, headers, signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.redirected && new URL(answer.url).pathname === "/login") throw new SignedOut();
  if (answer.status >= 500) throw new TypeError(`server ${answer.status}`);
  if (answer.redirected || answer.status === 204) return answer;
  const refusal = new Refused();
  refusal.page = await answer.text();
  throw refusal;
}

async function waiting() {
  const items = await list("queue").catch(() => []);
  return items.filter((item) => item.owner === OWNER);
}

async function bar(note = "") {
  const strip = document.getElementById("offline");
  if (!strip) return;
  const items = await waiting();
  const refused = items.filter((item) => item.refused);
  const open = items.length - refused.length;
  const words = [];
  if (!navigator.onLine) words.push(open ? `离线，已存 ${open} 条` : "离线，可以照常填写");
  else if (note) words.push(note);
  else if (open) words.push(`${open} 条等着提交`);
  const place = strip.querySelector("span");
  place.textContent = words.join("，");
  if (refused.length) {
    const link = document.createElement("a");
    Object.assign(link, { className: "link", href: refused[0].page });
    link.textContent = `${refused.length} 条没提交上，去看`;
    place.append(words.length ? "，" : "", link);
  }
  strip.hidden = !words.length && !refused.length;
}

/** What the server would not take goes back to its form as a draft; the bar leads there. */
async function refuse(item) {
  if (item.draft) await keep(item.draft);
  await put("queue", { ...item, refused: true });
}

/** Standing on its page, the person sees the draft: the bar need not lead there any more. */
async function seen() {
  const here = (await waiting()).filter((item) => item.refused && item.page === location.href);
  await Promise.all(here.map((item) => drop("queue", item.id)));
}

/** Send what waits, oldest first; stop at the first that cannot go. */
export async function flush() {
  if (sending || !navigator.onLine) return bar();
  sending = true;
  let note = "";
  let sent = 0;
  try {
    for (const item of (await waiting()).filter((one) => !one.refused)) {
      await bar(`正在提交 ${item.title}`);
      try {
        await post(item);
        await drop("queue", item.id);
        sent += 1;
      } catch (error) {
        if (error instanceof Refused) await refuse(item);
        else {
          note = error instanceof SignedOut ? "有内容等着提交，请先登录" : "";
          break;
        }
      }
    }
  } finally {
    sending = false;
  }
  if (sent) toast(`已提交离线时存的 ${sent} 条`);
  return bar(note);
}

function gather(form, submitter) {
  form.querySelectorAll("[data-stamp]").forEach((field) => { field.value ||= stamp(); });
  return {
    owner: OWNER,
    // Without the attribute a button's formAction is the page itself, not the form's address.
    url: submitter?.hasAttribute("formaction") ? submitter.formAction : form.action,
    page: location.href,
    title: form.dataset.title || document.title.split(" · ")[0],
    once: form.dataset.once ||= crypto.randomUUID(),
    at: stamp(),
    draft: form.dataset.draft ? { key: name(form), values: values(form), at: Date.now() } : null,
    fields: [...new FormData(form, submitter)].filter(([name]) => name !== "csrfmiddlewaretoken"),
  };
}

function redraw(page) {
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("main");
  const old = document.querySelector("main");
  if (!fresh || !old) return;
  old.replaceWith(fresh);
  window.htmx.process(fresh);
  window.htmx.trigger(fresh, "htmx:load", { elt: fresh });
  fresh.querySelector("[aria-invalid=true]")?.focus();
}

async function opensOffline(url) {
  return Boolean(url && "caches" in window && (await caches.match(url, { ignoreVary: true })));
}

async function submit(form, submitter) {
  const item = gather(form, submitter);
  const buttons = [...form.elements].filter((field) => field.type === "submit");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await post(item);
    await forget(form);
    location.assign(answer.redirected ? answer.url : form.dataset.next || location.href);
  } catch (error) {
    if (error instanceof Refused) return redraw(error.page);
    if (error instanceof SignedOut) {
      return location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    }
    await put("queue", { ...item, waited: true });
    await forget(form);
    await bar();
    toast(STORED);
    say(STORED);
    // The buttons stay shut: what stands here is on its way.
    if (await opensOffline(form.dataset.next)) location.assign(form.dataset.next);
  }
  return undefined;
}

on("submit", "form[data-offline]", (event, form) => {
  event.preventDefault();
  submit(form, event.submitter).catch(() => {
    [...form.elements].forEach((field) => { if (field.type === "submit") field.disabled = false; });
    toast("没提交上，本机也存不了。内容还在。", { tone: "soon" });
  });
});
addEventListener("online", flush);
addEventListener("offline", () => bar());
setInterval(async () => { if ((await waiting()).length) flush(); }, AGAIN);
seen().then(flush);
