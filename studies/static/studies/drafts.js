// Saves what is filled in on every change: in this browser first, then on the server, newest wins by its sequence.
import { fill, values } from "./fields.js";
import { SAYS, say, saySaved } from "./messages.js";
import { hasEntry } from "./outbox.js";
import { isMoved, post } from "./posting.js";
import { untilDone } from "./retry.js";
import { ADDRESSES, form, isText, position, sheet } from "./sheet.js";
import { read, remove, write } from "./storage.js";

const PAUSE = 400; // ms after the last letter
const keyOf = (at) => `draft:${sheet}:${at}`;
const key = keyOf(position);
let floor = Number(form?.dataset.sequence ?? 0);
let timer = 0;
let isEnded = false;

/** The browser's clock, but never behind what is stored: clocks of two devices differ. */
export function nextSequence() {
  return Math.max(Date.now(), floor + 1, (read(key)?.sequence ?? 0) + 1);
}

/** Keep and send the form as it is now; `pause` waits for more letters. */
export function draftChanged(pause = 0) {
  write(key, { sequence: nextSequence(), values: values() });
  clearTimeout(timer);
  if (!isEnded) timer = setTimeout(save, pause);
}

/** Whether something newer than `sequence` is kept here. */
export function isNewerThan(sequence) {
  return (read(key)?.sequence ?? 0) > sequence;
}

/** Forget the draft of the item at `at` that was part of its submission. */
export function draftSubmitted(at, upTo) {
  if (at === position) clearTimeout(timer);
  const its = keyOf(at);
  if ((read(its)?.sequence ?? 0) <= upTo) remove(its);
}

/** Forget what was changed here: the answer that is stored stands. */
export function draftDiscarded() {
  clearTimeout(timer);
  remove(key);
}

const save = untilDone(async () => {
  const kept = read(key);
  // What waits in the outbox comes first: a draft that overtook it would be replaced by what is older.
  if (!kept || isEnded || hasEntry()) return true;
  const slow = setTimeout(() => say(SAYS.saving), 250);
  const answer = await send(kept).catch(() => ({ status: 0, body: {} }));
  clearTimeout(slow);
  return after(answer, kept);
});

function send(kept, options) {
  return post(ADDRESSES.draft, { ...kept.values, position, sheet, sequence: kept.sequence }, options);
}

/** True when there is nothing to send again. */
function after(answer, kept) {
  const { status, body } = answer;
  if (isMoved(answer)) return end(SAYS.moved);
  if (status === 413) return say(SAYS.tooLong), true;
  if (status !== 200 || typeof body.sequence !== "number") return waiting(status);
  if (body.sequence > kept.sequence) return overtaken(body.sequence);
  if (read(key)?.sequence === kept.sequence) remove(key);
  saySaved();
  return true;
}

function waiting(status) {
  const isLost = status === 403 || status === 404;
  say(isLost ? SAYS.lost : status ? SAYS.waiting : SAYS.offline);
  return false;
}

/** The server keeps a newer draft, of another device or tab: what is here stays here until it is changed again. */
function overtaken(sequence) {
  floor = sequence;
  say(SAYS.elsewhere);
  return true;
}

function end(text) {
  isEnded = true;
  say(text);
  return true;
}

/** "12:04" as the server's clock had it. */
function utcTime(text) {
  const [hours, minutes] = text.split(":").map(Number);
  return new Date(new Date().setUTCHours(hours, minutes));
}

/** On a page whose answer is stored: what stands in the form is a change of it that is not. */
function sayBegun() {
  for (const line of form.querySelectorAll("[data-revision]")) line.hidden = line.dataset.revision !== "begun";
}

function start() {
  const kept = read(key);
  if (kept && kept.sequence <= floor) remove(key);
  else if (kept) {
    fill(kept.values);
    sayBegun();
    save();
  }
  if (form.dataset.saved) saySaved(utcTime(form.dataset.saved));
  form.addEventListener("input", (event) => draftChanged(isText(event.target) ? PAUSE : 0));
  // The last letters of somebody who leaves: what this request cannot deliver is sent when the page is next opened.
  addEventListener("pagehide", () => {
    const left = read(key);
    if (left && !isEnded && !hasEntry()) send(left, { keepalive: true }).catch(() => null);
  });
}

if (form) start();
