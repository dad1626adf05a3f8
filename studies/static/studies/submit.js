// Submitting an item: into the outbox, then to the server, and on to the next page when it has acknowledged.
import { draftChanged, draftDiscarded, draftSubmitted, isNewerThan, nextSequence } from "./drafts.js";
import { clearProblems, fill, showProblems, values } from "./fields.js";
import { SAYS, clearNotice, notify, notifyOnNextPage, say } from "./messages.js";
import { entryOf, hasEntry, queue, sendAll } from "./outbox.js";
import { tellMoved } from "./other_tabs.js";
import { untilDone } from "./retry.js";
import { ADDRESSES, form, position, step } from "./sheet.js";

const OFFLINE = "You are offline. Your answer is kept in this browser and is sent as soon as the connection is back.";
const LOST = "This browser no longer knows your place. Your answer is kept here: open your personal link to go on.";
const MOVED = "Your last answer was not stored: you have gone on elsewhere in the meantime.";
let isLeaving = false;

/** Send what waits in the outbox, and go on as the server says. */
export const sendWaiting = untilDone(() => sendAll((outcome, entry, body) => REPORTS[outcome](entry, body)));

const isOpen = (entry) => Boolean(form) && entry.position === position;

const REPORTS = {
  stored(entry, body) {
    tellMoved(entry.position);
    draftSubmitted(entry.position, entry.sequence);
    clearNotice();
    if (isOpen(entry)) {
      leave(body.next);
    } else if (step === "review") {
      // The list of answers on this page is from before.
      location.reload();
    } else {
      const hasFeedback = body.next && body.next !== ADDRESSES.item;
      notify("An answer that was waiting has been sent.", hasFeedback && { href: body.next, text: "Look at it" });
    }
  },
  refused(entry, body) {
    say("");
    if (isOpen(entry)) {
      draftChanged();
      showProblems(body.problems ?? {});
    } else {
      const link = { href: `${ADDRESSES.item}?at=${entry.position}`, text: "Look at it" };
      notify("An answer that was waiting could not be stored.", link);
    }
  },
  moved(entry, body) {
    if (isOpen(entry)) {
      notifyOnNextPage(MOVED);
      leave(body.next);
    } else if (!hasEntry(entry.position)) {
      notify(MOVED);
    }
  },
  offline() {
    say(SAYS.offline);
    notify(OFFLINE);
  },
  waiting() {
    say(SAYS.waiting);
  },
  lost() {
    say(SAYS.lost);
    notify(LOST);
  },
};

function leave(next) {
  isLeaving = true;
  location.assign(next ?? ADDRESSES.where);
}

function submit(event) {
  if (event.submitter?.name === "discard") {
    // The browser posts this one itself: the sequence tells the server which drafts may still be under way.
    event.submitter.value = nextSequence();
    draftDiscarded();
    return;
  }
  event.preventDefault();
  if (isLeaving) return;
  clearProblems();
  say(SAYS.sending);
  queue(position, nextSequence(), values());
  sendWaiting();
}

function start() {
  const waiting = entryOf(position);
  if (waiting && !isNewerThan(waiting.sequence)) fill(waiting.fields);
  form.addEventListener("submit", submit);
  // A page that comes back from the browser's cache may be sent again.
  addEventListener("pageshow", () => (isLeaving = false));
}

if (form) start();
