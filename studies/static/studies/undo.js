// Takes back the last changes of the open item, one at a time. Letters typed into one field in one go are one change.
import { draftChanged } from "./drafts.js";
import { fill, values } from "./fields.js";
import { announce } from "./messages.js";
import { form, isText } from "./sheet.js";

const button = document.querySelector("[data-undo]");
const MOST = 200;
let states = [];
let openText = ""; // the text field whose letters still belong to the last change

export function undo() {
  if (states.length < 2) return;
  states.pop();
  openText = "";
  fill(states.at(-1));
  draftChanged();
  announce("Taken back");
  offer();
}

/** What stands in the form now is where undoing ends. */
export function begin() {
  if (!form) return;
  states = [values()];
  offer();
}

function remember(event) {
  const name = isText(event.target) ? event.target.name : "";
  if (name && name === openText) states.pop();
  openText = name;
  states = [...states, values()].slice(-MOST);
  offer();
}

function offer() {
  if (!button) return;
  const isEmpty = states.length < 2;
  // A button that disappears under somebody's fingers hands the focus on.
  if (isEmpty && document.activeElement === button) form.querySelector("[type=submit], button.primary").focus();
  button.hidden = isEmpty;
}

if (form) {
  form.addEventListener("input", remember);
  form.addEventListener("focusout", () => (openText = ""));
  button?.addEventListener("click", undo);
}
