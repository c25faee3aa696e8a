// Speaking instead of typing: where the browser can listen, every textarea of form[data-voice]
// gets a button. It listens only between two presses and adds what it heard at the end.
import { all, each, say } from "./dom.js";

const Listener = window.SpeechRecognition || window.webkitSpeechRecognition;

function stopped(button) {
  button.classList.remove("on");
  button.textContent = "口述";
}

function listen(field, button) {
  const ear = new Listener();
  Object.assign(ear, { lang: "zh-CN", continuous: true, interimResults: false });
  ear.addEventListener("result", ({ results, resultIndex }) => {
    field.value += [...results].slice(resultIndex).map((heard) => heard[0].transcript).join("");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  ear.addEventListener("error", () => say("没听清，再按一次"));
  ear.addEventListener("end", () => stopped(button));
  ear.start();
  button.classList.add("on");
  button.textContent = "在听，按一下停";
  return ear;
}

function attach(field) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "btn sm voice", textContent: "口述" });
  button.setAttribute("aria-label", `口述${field.labels[0]?.firstChild.textContent ?? ""}`);
  let ear = null;
  button.addEventListener("click", () => {
    if (button.classList.contains("on")) ear.stop();
    else ear = listen(field, button);
  });
  field.after(button);
}

if (Listener) each((root) => all(root, "form[data-voice] textarea").forEach(attach));
