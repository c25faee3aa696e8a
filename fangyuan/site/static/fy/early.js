// Runs before the first paint: without a stored choice the page follows the system's theme.
(() => {
  const root = document.documentElement;
  if (root.dataset.theme) return;
  let kept = null;
  try { kept = localStorage.getItem("fy.theme"); } catch { /* storage may be forbidden */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept === "dark" || kept === "light" ? kept : dark ? "dark" : "light";
})();
