// The few things every module needs: delegated events, the token, a voice for screen readers.

/** Listen on the document for an event that happens within `selector`. */
export function on(type, selector, act, options) {
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element ? event.target.closest(selector) : null;
    if (found) act(event, found);
  }, options);
}

/** Run now and after every fragment that htmx settles. */
export function each(act) {
  act(document);
  document.addEventListener("htmx:load", ({ detail }) => {
    // htmx reports the whole page once too; that one is done.
    if (detail.elt !== document.body) act(detail.elt);
  });
}

/** All matches within a fragment, the fragment itself included. */
export function all(root, selector) {
  const inside = [...root.querySelectorAll(selector)];
  return root instanceof Element && root.matches(selector) ? [root, ...inside] : inside;
}

/** Whether a key press belongs to a text the user is writing. */
export function typing(event) {
  const at = event.target;
  if (event.isComposing || !(at instanceof HTMLElement)) return event.isComposing;
  if (at.isContentEditable || at.matches("textarea, select")) return true;
  return at.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit])");
}

/** The token that htmx sends too. */
export function token() {
  try {
    return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
  } catch {
    return "";
  }
}

/** Read a sentence to a screen reader, once. */
export function say(text) {
  const box = document.getElementById("said");
  if (box) box.textContent = text;
}

/** Ask for a toast; the toast module shows it. */
export function toast(text, more = {}) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, ...more } }));
}

/** The icon of the sprite, as the server draws it. */
export function icon(name) {
  const sprite = document.querySelector(".top .i use, .nav .i use");
  const href = (sprite ? sprite.getAttribute("href") : "").split("#")[0];
  const holder = document.createElement("template");
  holder.innerHTML = '<svg class="i" aria-hidden="true"><use/></svg>';
  holder.content.querySelector("use").setAttribute("href", `${href}#${name}`);
  return holder.content.firstElementChild;
}

/** A key under which this person's things are kept on this machine. */
export function mine(name) {
  return `fy.${document.body.dataset.me || "0"}.${name}`;
}
