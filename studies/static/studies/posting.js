// Posts to the own host with the CSRF token. A token that has gone stale is fetched anew, once.
import { ADDRESSES } from "./sheet.js";

const PATIENCE = 20_000; // ms for one request
const field = () => document.querySelector("[name=csrfmiddlewaretoken]");
let renewed = "";

export const token = () => renewed || (field()?.value ?? "");

/** {status, body}: the body as the JSON that it is, or {}. Rejects where no answer comes.
 *
 * The status alone says nothing: a network's portal or filter answers in the server's place, with 200 and its own page.
 */
export async function post(address, fields, options = {}) {
  const answer = await send(address, fields, options);
  if (answer.status !== 403 || !(await renew())) return answer;
  return send(address, fields, options);
}

/** Whether the server says that the sheet is elsewhere: nothing was stored. */
export function isMoved({ status, body }) {
  return status === 409 && body.state === "moved";
}

/** A random UUID, also on a plain-http network, where crypto.randomUUID is not there. */
export function freshId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function send(address, fields, options) {
  const response = await fetch(address, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "X-CSRFToken": token(), Accept: "application/json" },
    signal: AbortSignal.timeout?.(PATIENCE),
    ...options,
  });
  const body = await response.json().catch(() => null);
  return { status: response.status, body: Object(body) };
}

async function renew() {
  const page = await (await fetch(ADDRESSES.item)).text();
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[name=csrfmiddlewaretoken]");
  if (!fresh) return false;
  renewed = fresh.value;
  if (field()) field().value = fresh.value;
  return true;
}
