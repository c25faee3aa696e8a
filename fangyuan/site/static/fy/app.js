// The front door of the scripts. Every page works without them; each module adds one comfort
// and finds its elements by data attribute, so swapped-in fragments need no extra call.
import "./theme.js";
import "./toast.js";
import "./layers.js";
import "./menus.js";
import "./palette.js";
import "./keys.js";
import "./clock.js";
import "./bulk.js";
import "./rows.js";
import "./forms.js";
import "./drafts.js";
import "./queue.js";
import "./place.js";
import "./voice.js";
import "./board.js";

if ("serviceWorker" in navigator && window.isSecureContext) {
  // Without it the visit pages still work online; a refusal is no fault of the page.
  navigator.serviceWorker.register("/sw.js").catch(() => {});
}
