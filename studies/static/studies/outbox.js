// Answers on their way: kept in this browser under the sheet's key until the server has acknowledged them.
import { freshId, isMoved, post } from "./posting.js";
import { ADDRESSES, position, sheet, step } from "./sheet.js";
import { keysFrom, read, remove, write } from "./storage.js";

const prefix = `outbox:${sheet}:`;

/** Whether an answer to the item at `at` waits here. */
export function hasEntry(at = position) {
  return read(prefix + at) !== null;
}

export function entryOf(at) {
  return read(prefix + at);
}

/** Keep an answer until it is acknowledged: one action, one id, however often it is sent. The same again is none. */
export function queue(at, sequence, fields) {
  const waiting = entryOf(at);
  const isSame = waiting && JSON.stringify(waiting.fields) === JSON.stringify(fields);
  write(prefix + at, { submission: isSame ? waiting.submission : freshId(), position: at, sequence, fields });
}

/** Send what waits. `report(outcome, entry, body)` hears of each; true when nothing is left to try again. */
export function sendAll(report) {
  const send = () => sendEach(report);
  // One tab sends at a time; where locks are not there, the id keeps the server from storing an answer twice.
  return navigator.locks ? navigator.locks.request(prefix, send) : send();
}

async function sendEach(report) {
  for (const key of keysFrom(prefix)) {
    const entry = read(key);
    if (!entry) continue;
    const { submission, sequence, fields } = entry;
    const sent = { ...fields, submission, sequence, position: entry.position, sheet };
    const answer = await post(ADDRESSES.item, sent).catch(() => ({ status: 0, body: {} }));
    if (!settle(key, entry, answer, report)) return false;
  }
  return true;
}

/** True when the entry is dealt with, false when it is to be sent again. */
function settle(key, entry, answer, report) {
  const { status, body } = answer;
  const outcome = outcomeOf(answer);
  if (outcome === "stored" || outcome === "refused") {
    // Somebody may have answered anew in the meantime: that is another action, and still to be sent.
    if (read(key)?.submission === entry.submission) remove(key);
    report(outcome, entry, body);
    return !read(key);
  }
  if (isMoved(answer)) {
    // Another study in this browser, or the sheet has gone on. If this sheet's own page hears it as well, it has ended.
    if (entry.wasMoved || step === "done") remove(key);
    else write(key, { ...entry, wasMoved: true });
    report("moved", entry, body);
    return true;
  }
  const isLost = status === 403 || status === 404;
  report(isLost ? "lost" : status ? "waiting" : "offline", entry, body);
  return false;
}

/** What the server itself says became of an answer; "" for what a network's portal or filter says in its place. */
function outcomeOf({ status, body }) {
  if (status === 200 && typeof body.next === "string") return "stored";
  return status === 422 && body.problems ? "refused" : "";
}
