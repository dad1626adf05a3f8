// What the page says while somebody works: the state of saving, notices, and for the ear what a key did.
const state = document.querySelector("[data-save-state]");
const notices = document.querySelector("[data-notices]");
const ear = document.querySelector("[data-ear]");
const clock = (when) => when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export const SAYS = {
  saving: "Saving…",
  sending: "Sending…",
  offline: "Offline, will be sent",
  waiting: "Not sent yet, trying again",
  moved: "Not saved: open elsewhere",
  tooLong: "Not saved: the text is too long",
  lost: "Not saved: this browser has lost its place",
};

export function say(text) {
  if (state && state.textContent !== text) state.textContent = text;
}

export function saySaved(when = new Date()) {
  say(`Saved ${clock(when)}`);
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
  notices.replaceChildren(line);
}

export function clearNotice() {
  notices?.replaceChildren();
}

/** A notice for the page that is opened next. */
export function notifyOnNextPage(text) {
  sessionStorage.setItem("notice", text);
}

const brought = sessionStorage.getItem("notice");
if (brought) {
  sessionStorage.removeItem("notice");
  notify(brought);
}
