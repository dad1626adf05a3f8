// Tabs of the same sheet tell each other when an item has been answered, so that nobody fills in a page that is past.
import { notify } from "./messages.js";
import { ADDRESSES, form, position, sheet } from "./sheet.js";

const channel = "BroadcastChannel" in window ? new BroadcastChannel(`sheet:${sheet}`) : null;

export function tellMoved(answered) {
  channel?.postMessage({ answered });
}

channel?.addEventListener("message", (event) => {
  if (event.data.answered !== position) return;
  const next = form?.querySelector(".submit .primary").firstChild;
  // What stands here would replace that answer: the button says so from now on.
  if (next) next.data = "Save as a change";
  notify("You have answered this item in another tab.", { href: ADDRESSES.where, text: "Go to where you are" });
});
