// The few comforts of pages without a shell: sign-in and errors.
import { on } from "./dom.js";

document.querySelectorAll("[data-reveal]").forEach((button) => { button.hidden = false; });

on("click", "[data-reveal]", (_event, button) => {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
});
on("click", "[data-print]", () => window.print());
on("click", "[data-fill]", (_event, button) => {
  document.getElementById("login").value = button.dataset.fill;
  document.getElementById("password").focus();
});
on("click", "[data-back]", (event) => {
  if (history.length < 2) return;
  event.preventDefault();
  history.back();
});

// Whoever stands before the sign-in page may be another person: kept pages go.
if (document.querySelector(".login") && "caches" in window) caches.delete("fy-pages");
