// Features, one at a time or all at once. The links of the graph (or of the row) open and focus their feature.
import { announce } from "./messages.js";
import { CHANGED, openTab, openedTab, tabNames } from "./tabs.js";

const cards = [...document.querySelectorAll(".feature")];
const links = [...document.querySelectorAll("[data-feature-links] a")];
const all = document.querySelector("[data-all-features]");
let open = cards[0];

const isOneAtATime = () => cards.length > 1 && !all?.querySelector("input").checked;

export function showFeature(card, { isFocused = false } = {}) {
  open = card;
  for (const each of cards) each.hidden = isOneAtATime() && each !== card;
  for (const link of links) {
    if (link.hash === `#${card.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  document.dispatchEvent(new Event(CHANGED));
  if (isFocused) focusOn(card);
}

/** One page on or back: Overview, then each feature (or all of them as one page). */
export function turnPage(step) {
  const stops = [...tabNames.filter((name) => name !== "features"), ...(isOneAtATime() ? cards : [])];
  if (!isOneAtATime() && tabNames.includes("features")) stops.push("features");
  const isInFeatures = openedTab() === "features" || !tabNames.length;
  const here = stops.indexOf(isInFeatures ? (isOneAtATime() ? open : "features") : openedTab());
  const next = stops[here + step];
  if (!next) return;
  const isCard = typeof next !== "string";
  const page = isCard ? next : document.getElementById(next);
  announce(page.querySelector("h2, h3").textContent);
  openTab(isCard ? "features" : next);
  if (isCard) showFeature(next);
}

function focusOn(card) {
  const heading = card.querySelector("h3");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function fromHash() {
  const card = cards.find((each) => location.hash === `#${each.id}`);
  if (!card) return;
  openTab("features");
  showFeature(card, { isFocused: true });
}

function enhance() {
  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      showFeature(document.querySelector(link.hash), { isFocused: true });
    });
  }
  if (all && cards.length > 1) {
    all.querySelector("input").checked = sessionStorage.getItem("all-features") === "yes";
    all.hidden = false;
    all.addEventListener("change", (event) => {
      sessionStorage.setItem("all-features", event.target.checked ? "yes" : "no");
      showFeature(open);
    });
  }
  addEventListener("hashchange", fromHash);
  showFeature(open);
  fromHash();
}

if (cards.length) enhance();
