// Drafts: form[data-draft=KEY] saves itself on this machine while one writes, and comes back after
// a lost connection, a crash or a closed tab. It goes once the server has taken the form.
import { each, all, mine, on } from "./dom.js";
import { drop, get, list, put } from "./store.js";

const WAIT = 400;
const timers = new WeakMap();
/** The key of a form's draft on this machine. */
export const name = (form) => mine(`draft.${form.dataset.draft}`);
const clock = (at) => new Date(at).toTimeString().slice(0, 5);

function kept(field) {
  return field.name && field.name !== "csrfmiddlewaretoken" && !field.disabled
    && !/hidden|password|file|submit|button/.test(field.type);
}

/** The fields of a form as a person filled them. */
export function values(form) {
  return [...form.elements].filter(kept).map((field) => {
    if (/checkbox|radio/.test(field.type)) return [field.name, field.value, field.checked];
    if (field.multiple) return [field.name, [...field.selectedOptions].map((o) => o.value)];
    return [field.name, field.value];
  });
}

function fill(form, saved) {
  const fields = [...form.elements].filter(kept);
  saved.forEach(([key, value, checked]) => {
    const named = fields.filter((f) => f.name === key);
    const field = checked === undefined ? named[0] : named.find((f) => f.value === value);
    if (!field) return;
    if (checked !== undefined) field.checked = checked;
    else if (Array.isArray(value)) {
      [...field.options].forEach((o) => { o.selected = value.includes(o.value); });
    } else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function state(form, text) {
  const scope = form.closest("main, dialog") || document;
  scope.querySelectorAll("[data-draft-state]").forEach((place) => { place.textContent = text; });
}

async function save(form, more = {}) {
  clearTimeout(timers.get(form));
  const page = location.href;
  const item = { key: name(form), values: values(form), at: Date.now(), page, ...more };
  try {
    await put("drafts", item);
    state(form, "已自动保存");
  } catch {
    state(form, "本机存不了草稿");
  }
}

/** Keep a draft that was gathered earlier. */
export const keep = (draft) => put("drafts", { page: location.href, ...draft });

/** Forget a form's draft, because the server has it or the person gave it up. */
export function forget(form) {
  clearTimeout(timers.get(form));
  timers.delete(form);
  return drop("drafts", name(form)).catch(() => {});
}

function notice(form, at, blank) {
  const box = document.createElement("div");
  box.className = "note";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  words.className = "grow";
  words.textContent = `已恢复 ${clock(at)} 没提交的内容`;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "btn sm", textContent: "不要了" });
  button.addEventListener("click", () => {
    fill(form, blank);
    forget(form);
    box.remove();
    state(form, "");
  });
  box.append(words, button);
  form.prepend(box);
}

async function restore(form) {
  // Errors from the server come with the values just sent; those are newer.
  if (form.querySelector(".err, [aria-invalid=true]")) return save(form);
  const draft = await get("drafts", name(form)).catch(() => null);
  const blank = values(form);
  if (!draft || JSON.stringify(draft.values) === JSON.stringify(blank)) return undefined;
  fill(form, draft.values);
  clearTimeout(timers.get(form));
  return notice(form, draft.at, blank);
}

/** A page reached from a sent form proves that the server took it. */
async function settle() {
  const drafts = await list("drafts").catch(() => []);
  drafts
    .filter(({ sent, page }) => sent && page === document.referrer && page !== location.href)
    .forEach((draft) => drop("drafts", draft.key).catch(() => {}));
}

on("input", "form[data-draft]", (_event, form) => {
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => save(form), WAIT));
});
on("submit", "form[data-draft]", (_event, form) => {
  if (!form.matches("[data-offline], [hx-post]")) save(form, { sent: true });
});
addEventListener("pagehide", () => {
  document.querySelectorAll("form[data-draft]").forEach((form) => {
    if (timers.has(form)) save(form);
  });
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!(form instanceof HTMLFormElement) || !form.dataset.draft) return;
  const answer = event.detail.xhr;
  if (event.detail.successful && !/class="err"/.test(answer.responseText)) forget(form);
});

settle();
each((root) => all(root, "form[data-draft]").forEach(restore));
