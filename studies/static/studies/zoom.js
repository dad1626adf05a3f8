// Pictures enlarged in a dialog, with their colours as strong as on the page. Escape closes, and the focus returns.
import { toggleOriginal } from "./opacity.js";

const dialog = document.querySelector("[data-zoom]");
const stage = dialog?.querySelector("[data-stage]");
const heading = dialog?.querySelector("h2");
const MOST = 8;
const STEP = 1.25;
let scale = 1;

/** The picture under the pointer or in focus, else the example itself. */
export function zoomHere() {
  const near = (element) => element?.closest(".panel")?.querySelector(".picture");
  const hovered = [...document.querySelectorAll(".picture:hover")].at(-1);
  const picture = hovered ?? near(document.activeElement) ?? document.querySelector(".datapoint .picture");
  if (picture) open(picture);
}

function open(picture) {
  picture.querySelector("button")?.focus({ preventScroll: true });
  const [base] = picture.querySelectorAll("img");
  const copies = [...picture.querySelectorAll("img")].map((image) => image.cloneNode());
  const shown = Object.assign(document.createElement("span"), { className: "picture" });
  shown.append(...copies);
  heading.textContent = base.alt;
  stage.replaceChildren(shown);
  // Before the picture is there, the room that is kept for it has its shape.
  stage.style.setProperty("--ratio", base.naturalWidth / base.naturalHeight || base.width / base.height || 1);
  scale = 1;
  stage.style.setProperty("--zoom", scale);
  dialog.showModal();
}

/** Enlarge, keeping the place of the picture that lies under (x, y) of the window where it is. */
function zoomTo(wanted, x, y) {
  const picture = stage.firstElementChild;
  const before = picture.getBoundingClientRect();
  scale = Math.min(MOST, Math.max(1, wanted));
  stage.style.setProperty("--zoom", scale);
  const after = picture.getBoundingClientRect();
  const left = after.left + ((x - before.left) / before.width) * after.width - x;
  const top = after.top + ((y - before.top) / before.height) * after.height - y;
  stage.scrollBy({ left, top, behavior: "instant" });
}

function zoomToCentre(wanted) {
  const { left, top, width, height } = stage.getBoundingClientRect();
  zoomTo(wanted, left + width / 2, top + height / 2);
}

const ACTIONS = {
  in: () => zoomToCentre(scale * STEP),
  out: () => zoomToCentre(scale / STEP),
  original: toggleOriginal,
  close: () => dialog.close(),
};
const KEYS = { "+": "in", "=": "in", "-": "out", o: "original", O: "original" };

function enhance() {
  for (const picture of document.querySelectorAll("main .picture")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "enlarge" });
    button.setAttribute("aria-label", `Enlarge: ${picture.querySelector("img").alt}`);
    picture.append(button);
    picture.addEventListener("click", (event) => event.target.closest(".failed") || open(picture));
  }
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    ACTIONS[event.target.closest("[data-act]")?.dataset.act]?.();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key]) return;
    event.preventDefault();
    ACTIONS[KEYS[event.key]]();
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomTo(scale * (event.deltaY < 0 ? STEP : 1 / STEP), event.clientX, event.clientY);
  });
}

if (dialog) enhance();
