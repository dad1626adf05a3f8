// What the page says while somebody works: the state of saving, notices, and for the ear what a key did.
const state = document.querySelector("[data-save-state]");
const notices = document.querySelector("[data-notices]");
const isChange = Boolean(document.querySelector("[data-revision]"));
const ear = document.querySelector("[data-ear]");
const clock = (when) => when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export const SAYS = {
  saving: "Saving…",
  sending: "Sending…",
  offline: "Offline, will be sent",
  waiting: "Not sent yet, trying again",
  moved: "Not saved: open elsewhere",
  tooLong: "Not saved: the text is too long",
  elsewhere: "Not saved: this item is being filled in elsewhere too",
  lost: "Not saved: this browser has lost its place",
};

export function say(text) {
  if (state && state.textContent !== text) state.textContent = text;
}

/** The draft is saved; beside an answer that is stored, that is not yet the answer. */
export function saySaved(when = new Date()) {
  say(isChange ? `Change kept ${clock(when)}, not saved yet` : `Saved ${clock(when)}`);
}

/** Only for screen readers: what is to be seen anyway. */
export function announce(text) {
  if (ear) ear.textContent = text;
}

/** One notice at a time; link: {href, text}, optional. */
export function notify(text, link) {
  if (!notices) return;
  const line = document.createElement("p");
  line.className = "notice small";
  line.append(text);
  if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link.href, textContent: link.text });
    line.append(" ", anchor);
  }
  // What stands there already would be read out again with each attempt.
  if (notices.innerHTML !== line.outerHTML) notices.replaceChildren(line);
}

export function clearNotice() {
  notices?.replaceChildren();
}

/** A notice for the next page that can show one. */
export function notifyOnNextPage(text) {
  sessionStorage.setItem("notice", text);
}

const brought = sessionStorage.getItem("notice");
if (brought && notices) {
  sessionStorage.removeItem("notice");
  notify(brought);
}
