// Buttons that save a chart for a paper: black on white, in the size that it was drawn in.
import { replaced, viewOf } from "./vega_views.js";

const PAPER = { ink: "#000000", ground: "#ffffff", scale: 4 };

export function saveButtons(figure, spec) {
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
  const view = viewOf(replaced(spec, { currentColor: PAPER.ink }), { renderer: "none" });
  const study = figure.closest("[data-study]")?.dataset.study ?? "chart";
  const link = document.createElement("a");
  link.href = kind === "PNG" ? await png(view) : await svg(view);
  link.download = `${study}-${figure.dataset.chart}.${kind.toLowerCase()}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  view.finalize();
}

async function png(view) {
  return (await view.background(PAPER.ground).toCanvas(PAPER.scale)).toDataURL("image/png");
}

async function svg(view) {
  return URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" }));
}
