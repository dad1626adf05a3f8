// Tabs of the same sheet tell each other when an item has been answered, so that nobody fills in a page that is past.
import { notify } from "./messages.js";
import { ADDRESSES, position, sheet } from "./sheet.js";

const channel = "BroadcastChannel" in window ? new BroadcastChannel(`sheet:${sheet}`) : null;

export function tellMoved(answered) {
  channel?.postMessage({ answered });
}

channel?.addEventListener("message", (event) => {
  if (event.data.answered !== position) return;
  notify("You have answered this item in another tab.", { href: ADDRESSES.where, text: "Go to where you are" });
});
