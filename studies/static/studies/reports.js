// Reports of exposure on their way to the server: kept in this browser until it has answered, at most the latest ones.
import { post, token } from "./posting.js";
import { ADDRESSES, sheet } from "./sheet.js";
import { keysFrom, read, remove, write } from "./storage.js";

const prefix = `exposure:${sheet}:`;
const MOST = 100;

export async function sendReports(fresh) {
  if (fresh) keep(fresh);
  for (const key of keysFrom(prefix)) {
    const status = await post(ADDRESSES.exposure, { ...read(key), sheet }).then((answer) => answer.status, () => 0);
    // The server takes every report and answers with nothing; a page comes from somebody else.
    if (status !== 204) return;
    remove(key);
  }
}

/** For a page that is being left: the browser delivers it later, or it is kept for the next page. */
export function sendOnLeaving(fresh) {
  const body = new FormData();
  const fields = { ...fresh, sheet, csrfmiddlewaretoken: token() };
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const isTaken = navigator.onLine && navigator.sendBeacon?.(ADDRESSES.exposure, body);
  if (!isTaken) keep(fresh);
}

function keep(report) {
  write(prefix + report.batch, report);
  keysFrom(prefix).slice(MOST).forEach(remove);
}
