// Charts: the drawings of the page become interactive, all pointing at the same condition, and can be saved.
// Where anything here fails, the drawings stay as the server sent them.
const PAPER = { ink: "#000000", ground: "#ffffff", scale: 4 };
const OWN = ["values", "domain"];  // the study's own words in a chart: never replaced
const views = [];
const state = { pinned: "", hovered: "" };
let vega, expr;

const figures = [...document.querySelectorAll("figure[data-chart]")].filter((figure) => data(figure));
if (figures.length) start();

async function start() {
  await import("./vendor/vega-6.2.0.min.js");
  ({ expressionInterpreter: expr } = await import("./vendor/vega-interpreter-2.2.1.js"));
  vega = globalThis.vega;
  for (const figure of figures) await enliven(figure);
  for (const picker of document.querySelectorAll("[data-chart-picker]")) pickable(picker);
}

function data(figure) {
  return figure.querySelector('script[type="application/json"]');
}

// `ast` and the interpreter: Vega's expressions are read as trees, because the page's policy allows no eval.
function viewOf(spec, options) {
  return new vega.View(vega.parse(spec, null, { ast: true }), { expr, logLevel: vega.Error, ...options });
}

async function enliven(figure) {
  const drawn = JSON.parse(data(figure).textContent);
  // Vega measures letters before it places them: it must know the font that the page's style gives them.
  const spec = replaced(drawn, { "sans-serif": getComputedStyle(figure).fontFamily });
  const live = place(figure, spec.description);
  const view = viewOf(spec, { renderer: "svg", container: live.firstChild, tooltip });
  const width = () => Math.max(240, Math.floor(live.clientWidth));
  await view.width(width()).runAsync();
  views.push(view);
  figure.classList.add("is-live");
  view.addEventListener("pointermove", (event, item) => hover(conditionOf(item)));
  view.addEventListener("click", (event, item) => pin(conditionOf(item)));
  live.addEventListener("pointerleave", () => hover(""));
  new ResizeObserver(() => view.width(width()).runAsync()).observe(live);
  figure.append(buttons(figure, drawn));
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

const tip = document.createElement("table");
tip.className = "chart-tip";
tip.hidden = true;

function tooltip(handler, event, item, value) {
  const rows = value && typeof value === "object" ? Object.entries(value) : [];
  tip.hidden = rows.length === 0;
  if (tip.hidden) return;
  tip.replaceChildren(...rows.map(([name, text]) => line(name, text)));
  document.body.append(tip);
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 16;
  const top = below + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 12 : below;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${top}px`;
}

function line(name, text) {
  const row = document.createElement("tr");
  const [head, cell] = [document.createElement("th"), document.createElement("td")];
  head.textContent = name;
  cell.textContent = text;
  row.append(head, cell);
  return row;
}

function buttons(figure, spec) {
  const row = document.createElement("p");
  row.className = "chart-save small";
  row.append("Save as ");
  for (const kind of ["SVG", "PNG"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = kind;
    button.setAttribute("aria-label", `Save this chart as ${kind}`);
    button.addEventListener("click", () => save(figure, spec, kind));
    row.append(button, " ");
  }
  return row;
}

async function save(figure, spec, kind) {
  const name = figure.dataset.chart;
  const study = figure.closest("[data-study]")?.dataset.study ?? "chart";
  const view = viewOf(replaced(spec, { currentColor: PAPER.ink }), { renderer: "none" }).background(kind === "PNG" ? PAPER.ground : null);
  const url = kind === "PNG"
    ? (await view.toCanvas(PAPER.scale)).toDataURL("image/png")
    : URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${study}-${name}.${kind.toLowerCase()}`;
  link.click();
  view.finalize();
}

// `words`: what stands for what. The page's own colour, for example, means nothing in a file.
function replaced(part, words) {
  if (Array.isArray(part)) return part.map((one) => replaced(one, words));
  if (part === null || typeof part !== "object") return Object.hasOwn(words, part) ? words[part] : part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, OWN.includes(key) ? value : replaced(value, words)]),
  );
}
