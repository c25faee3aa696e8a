// Where the check-in happens: a button[data-place] asks the phone once and fills the form's hidden
// latitude, longitude and accuracy; it says how far the customer is, and asks why if too far.
import { on, say } from "./dom.js";

const EARTH = 6_371_000;
const REASONS = {
  1: "没允许取位置。可在浏览器里打开，或写明原因后签到。",
  2: "没取到位置。到空旷处再试，或写明原因后签到。",
  3: "取位置太久没回应。再试一次，或写明原因后签到。",
};

function metres(a, b) {
  const rad = (degrees) => (degrees * Math.PI) / 180;
  const [up, across] = [rad(b.lat - a.lat) / 2, rad(b.lng - a.lng) / 2];
  const h = Math.sin(up) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(across) ** 2;
  return 2 * EARTH * Math.asin(Math.sqrt(h));
}

function said(length) {
  return length < 1000 ? `${Math.round(length)} 米` : `${(length / 1000).toFixed(1)} 公里`;
}

function tell(form, text, fine) {
  const box = form.querySelector("[data-place-text]");
  if (box) {
    box.textContent = text;
    box.classList.toggle("jade", fine);
    box.classList.toggle("soon-t", !fine);
  }
  form.querySelectorAll("[data-far]").forEach((part) => {
    part.hidden = fine;
    part.querySelectorAll("textarea, input[type=text]").forEach((f) => { f.required = !fine; });
  });
  say(text);
}

function found(form, { coords }) {
  const put = (role, value) => {
    const field = form.querySelector(`[data-place-${role}]`);
    if (field) field.value = value;
  };
  put("lat", coords.latitude.toFixed(6));
  put("lng", coords.longitude.toFixed(6));
  put("accuracy", Math.round(coords.accuracy));
  const { siteLat, siteLng, within = "300" } = form.dataset;
  if (!siteLat || !siteLng) return tell(form, `已取到位置，误差 ${said(coords.accuracy)}`, true);
  const away = metres(
    { lat: coords.latitude, lng: coords.longitude },
    { lat: Number(siteLat), lng: Number(siteLng) },
  );
  if (away <= Number(within)) return tell(form, `距客户 ${said(away)}，可以签到`, true);
  return tell(form, `距客户 ${said(away)}，超出 ${within} 米，写明原因后签到`, false);
}

function locate(form, button) {
  if (!("geolocation" in navigator)) return tell(form, REASONS[2], false);
  if (button) button.disabled = true;
  const after = (act) => (answer) => {
    if (button) button.disabled = false;
    act(answer);
  };
  return navigator.geolocation.getCurrentPosition(
    after((answer) => found(form, answer)),
    after((error) => tell(form, REASONS[error.code] || REASONS[2], false)),
    { enableHighAccuracy: true, timeout: 12_000, maximumAge: 30_000 },
  );
}

on("click", "[data-place]", (_event, button) => locate(button.closest("form"), button));
document.querySelectorAll("form[data-place-now]").forEach((form) => locate(form));
