// Light or dark: remembered in a cookie, so that the server draws the right one without a flash.
import { on } from "./dom.js";

const YEAR = 365 * 24 * 3600;

on("click", "[data-theme-toggle]", () => {
  const root = document.documentElement;
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  try { localStorage.setItem("fy.theme", theme); } catch { /* the cookie is enough */ }
  document.dispatchEvent(new CustomEvent("theme", { detail: { theme } }));
});
