// The keyboard: digits choose (letters where answers are numbers), Shift and a digit say how sure, Enter sends, arrows turn pages, U takes back.
import { turnPage } from "./features.js";
import { announce } from "./messages.js";
import { toggleOriginal } from "./opacity.js";
import { form, isText } from "./sheet.js";
import { areOn, openKeys } from "./shortcuts.js";
import { undo } from "./undo.js";
import { zoomHere } from "./zoom.js";

const LETTERS = { u: undo, o: toggleOriginal, z: zoomHere };
const OWN_ARROWS = "input, textarea, select, [role=tab], [role=tablist]";
const OWN_ENTER = "a, button, summary, select, textarea";

/** The digit of a key, by its place: Shift and other layouts write other signs there. */
function digitOf(event) {
  const [, row, digit] = /^(Digit|Numpad)([0-9])$/.exec(event.code) ?? [];
  // Without Num Lock the number pad's keys are arrows.
  return row === "Numpad" && event.key !== digit ? undefined : digit;
}

/** The letter that a key writes, or its place where it writes none of the Latin letters. */
function letterOf(event) {
  return /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace("Key", "").toLowerCase();
}

function isUndo(event) {
  return (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && letterOf(event) === "z";
}

function press(selector) {
  const radio = form?.querySelector(selector);
  if (!radio) return false;
  // A click tells autosave and undo. The focus stays where it is, so that arrows go on turning pages.
  if (!radio.checked) radio.click();
  const option = radio.closest(".option");
  option.scrollIntoView({ block: "nearest" });
  announce(`Chosen: ${option.querySelector("span").textContent}`);
  return true;
}

function send(event) {
  if (event.repeat || event.target.closest(OWN_ENTER)) return false;
  if (form) form.requestSubmit();
  else document.querySelector("[data-continue]")?.click();
  return true;
}

function turn(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || event.target.closest(OWN_ARROWS)) return false;
  turnPage(step);
  return true;
}

function act(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return isUndo(event) && (undo(), true);
  if (!areOn()) return false;
  const digit = digitOf(event);
  if (event.key === "?") return openKeys(), true;
  if (event.shiftKey) return digit ? press(`[name=confidence][value="${digit}"]`) : false;
  if (digit) return press(`[data-key="${digit}"]`);
  if (event.key === "Enter") return send(event);
  const letter = letterOf(event);
  if (/^[a-j]$/.test(letter)) return press(`[data-key="${letter.toUpperCase()}"]`);
  const action = LETTERS[letter];
  return action ? (action(), true) : turn(event);
}

document.addEventListener("keydown", (event) => {
  const isElsewhere = event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]");
  if (!isElsewhere && !isText(event.target) && act(event)) event.preventDefault();
});
