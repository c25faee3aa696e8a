// Runs before the first paint: says that scripts run, and without a stored choice follows the
// theme of the system.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  if (root.dataset.theme) return;
  let kept = null;
  try { kept = localStorage.getItem("fy.theme"); } catch { /* storage may be forbidden */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept === "dark" || kept === "light" ? kept : dark ? "dark" : "light";
})();
