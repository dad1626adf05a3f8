// Charts: the drawings of the page become interactive, all pointing at the same condition, and can be saved.
// Where anything here fails, the drawings stay as the server sent them.
import { saveButtons } from "./chart_files.js";
import { tooltip } from "./chart_tip.js";
import { replaced, vegaLoaded, viewOf } from "./vega_views.js";

const NARROWEST = 240;
const views = [];
const state = { pinned: "", hovered: "" };
const figures = [...document.querySelectorAll("figure[data-chart]")].filter((figure) => data(figure));
if (figures.length) start();

async function start() {
  await vegaLoaded();
  for (const figure of figures) await enliven(figure);
  for (const picker of document.querySelectorAll("[data-chart-picker]")) pickable(picker);
}

function data(figure) {
  return figure.querySelector('script[type="application/json"]');
}

async function enliven(figure) {
  const drawn = JSON.parse(data(figure).textContent);
  // Vega measures letters before it places them: it must know the font that the page's style gives them.
  const spec = replaced(drawn, { "sans-serif": getComputedStyle(figure).fontFamily });
  const live = place(figure, spec.description);
  const view = viewOf(spec, { renderer: "svg", container: live.firstChild, tooltip });
  const width = () => Math.max(NARROWEST, Math.floor(live.clientWidth));
  await view.width(width()).runAsync();
  views.push(view);
  figure.classList.add("is-live");
  view.addEventListener("pointermove", (event, item) => hover(conditionOf(item)));
  view.addEventListener("click", (event, item) => pin(conditionOf(item)));
  live.addEventListener("pointerleave", () => hover(""));
  new ResizeObserver(() => live.clientWidth && view.width(width()).runAsync()).observe(live);
  figure.append(saveButtons(figure, drawn));
}

// One image with a name; its parts, to which Vega gives roles without names, are hidden from screen readers.
function place(figure, description) {
  const live = document.createElement("div");
  live.className = "chart-live";
  live.setAttribute("role", "img");
  live.setAttribute("aria-label", `${figure.querySelector("h3").textContent}. ${description}`);
  const parts = document.createElement("div");
  parts.setAttribute("aria-hidden", "true");
  live.append(parts);
  figure.querySelector(".chart-drawn").after(live);
  return live;
}

function conditionOf(item) {
  return item?.datum?.condition ?? "";
}

function hover(condition) {
  if (condition === state.hovered) return;
  state.hovered = condition;
  point();
}

function pin(condition) {
  state.pinned = condition === state.pinned ? "" : condition;
  point();
}

function point() {
  const picked = state.hovered || state.pinned;
  for (const view of views) view.signal("picked", picked).runAsync();
  for (const button of document.querySelectorAll("[data-condition]")) {
    button.setAttribute("aria-pressed", String(button.dataset.condition === state.pinned));
  }
}

function pickable(picker) {
  picker.hidden = false;
  picker.addEventListener("click", (event) => {
    const button = event.target.closest("[data-condition]");
    if (button) pin(button.dataset.condition);
  });
}
