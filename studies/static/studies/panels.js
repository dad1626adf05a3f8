// Which panels of the item are before somebody's eyes: Overview or Features, and the feature that fills the view.
import { CHANGED } from "./tabs.js";

const cards = [...document.querySelectorAll(".feature")];
const shares = new Map(); // card -> how much of it is in view

/** Names as in the reports: overview, features, feature-3. */
export function openPanels() {
  const pages = ["overview", "features"].filter((id) => document.getElementById(id)?.hidden === false);
  const card = pages.includes("features") ? inView() : undefined;
  return card ? [...pages, `feature-${card.dataset.number}`] : pages;
}

function inView() {
  const shown = cards.filter((card) => !card.hidden);
  if (shown.length === 1) return shown[0];
  const [best] = shown.sort((a, b) => (shares.get(b) ?? 0) - (shares.get(a) ?? 0));
  // A card taller than the window can fill it and never show half of itself: then it is the nearest one.
  return shares.get(best) > 0 ? best : undefined;
}

if (cards.length) {
  const thresholds = [0, 0.1, 0.25, 0.5, 0.75, 1];
  const note = (entries) => {
    for (const entry of entries) shares.set(entry.target, entry.intersectionRatio);
    document.dispatchEvent(new Event(CHANGED));
  };
  const observer = new IntersectionObserver(note, { threshold: thresholds });
  for (const card of cards) observer.observe(card);
}
