// Things that happen in rows: editing in place, loading more before the end, folding a tree,
// copying a link.
import { each, all, on, toast } from "./dom.js";

// Editing in place: the cell fetched a form[data-inline]. Enter and leaving save, Esc restores.
const changed = (form) => [...form.elements].some((field) => {
  if (field.tagName === "SELECT") {
    return [...field.options].some((o) => o.selected !== o.defaultSelected);
  }
  if (/checkbox|radio/.test(field.type)) return field.checked !== field.defaultChecked;
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
});

function restore(form) {
  if (form.dataset.done) return;
  form.dataset.done = "1";
  window.htmx.ajax("GET", form.dataset.cancel, { target: form, swap: "outerHTML" });
}

function save(form) {
  if (form.dataset.done) return;
  if (!changed(form)) return restore(form);
  if (form.checkValidity()) form.dataset.done = "1";
  return form.requestSubmit();
}

on("focusout", "form[data-inline]", (event, form) => {
  // A menu or date picker inside the form keeps the focus in it.
  if (!form.contains(event.relatedTarget)) setTimeout(() => form.isConnected && save(form), 120);
});
on("change", "form[data-inline] select", (_event, field) => save(field.form));
on("keydown", "form[data-inline]", (event, form) => {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  restore(form);
});
document.addEventListener("htmx:responseError", (event) => {
  const form = event.detail.elt.closest?.("form[data-inline]");
  if (form) delete form.dataset.done;
});

// Loading more: the link works by itself; once it comes near, it is pressed once.
const near = "IntersectionObserver" in window && new IntersectionObserver((seen) => {
  seen.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    near.unobserve(target);
    window.htmx.trigger(target, "click");
  });
}, { rootMargin: "400px" });

each((root) => {
  if (near) all(root, "[data-prefetch]").forEach((link) => near.observe(link));
  all(root, "form[data-inline]").forEach((form) => {
    const field = form.querySelector("input:not([type=hidden]), select, textarea");
    field?.focus();
    field?.select?.();
  });
});

// Folding: a row hides all rows under it and remembers which of them were open.
function fold(id, open) {
  document.querySelectorAll(`[data-parent="${CSS.escape(id)}"]`).forEach((child) => {
    child.hidden = !open;
    const button = child.querySelector("[data-fold]");
    if (button) fold(button.dataset.fold, open && button.getAttribute("aria-expanded") === "true");
  });
}

on("click", "[data-fold]", (_event, button) => {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  fold(button.dataset.fold, open);
});

on("click", "[data-copy]", async (event, button) => {
  event.preventDefault();
  const url = new URL(button.dataset.copy || location.href, location.href).href;
  try {
    await navigator.clipboard.writeText(url);
    toast("链接已复制");
  } catch {
    toast(`没复制上，请手动复制：${url}`, { tone: "soon" });
  }
});
