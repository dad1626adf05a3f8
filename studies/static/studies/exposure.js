// How long the page was active, idle and away, and how long which panel was open. Sent in reports with own ids.
import { openPanels } from "./panels.js";
import { freshId } from "./posting.js";
import { sendOnLeaving, sendReports } from "./reports.js";
import { position } from "./sheet.js";
import { CHANGED } from "./tabs.js";

const IDLE = 30_000; // ms without input
const EVERY = 30_000; // ms between reports
const LONGEST_TICK = 5_000; // a longer gap means that the machine slept
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "scroll"];
let last = performance.now();
let lastInput = last;
let standing = whatStands();
let spent = {};

function whatStands() {
  if (document.hidden || !document.hasFocus()) return ["away"];
  return [performance.now() - lastInput > IDLE ? "idle" : "active", ...openPanels()];
}

/** Count the time since the last tick towards what stood then. */
function tick() {
  const now = performance.now();
  const length = now - last;
  for (const what of length > LONGEST_TICK ? ["away"] : standing) spent[what] = (spent[what] ?? 0) + length;
  last = now;
  standing = whatStands();
}

/** What has been counted since the last report; null when nothing was. */
function report() {
  tick();
  const counted = Object.entries(spent).map(([what, length]) => [what, Math.round(length)]);
  spent = {};
  const lengths = counted.filter(([, length]) => length > 0);
  return lengths.length ? { batch: freshId(), position, ...Object.fromEntries(lengths) } : null;
}

function input() {
  const wasActive = standing[0] === "active";
  if (!wasActive) tick();
  lastInput = performance.now();
  if (!wasActive) standing = whatStands();
}

function leave() {
  const fresh = report();
  if (fresh) sendOnLeaving(fresh);
}

for (const kind of INPUT) addEventListener(kind, input, { passive: true, capture: true });
for (const kind of ["focus", "blur"]) addEventListener(kind, tick);
document.addEventListener(CHANGED, tick);
document.addEventListener("visibilitychange", () => (document.hidden ? leave() : tick()));
addEventListener("pagehide", leave);
addEventListener("online", () => sendReports());
setInterval(tick, 1000);
setInterval(() => sendReports(report()), EVERY);
sendReports();
