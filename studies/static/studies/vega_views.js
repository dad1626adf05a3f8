// Vega, as it is kept here, and views made with it. The page's policy allows no eval, so `ast` keeps Vega's expressions
// as trees and its interpreter walks them.
let vega, expr;

export async function vegaLoaded() {
  await import("./vendor/vega-6.2.0.min.js");
  ({ expressionInterpreter: expr } = await import("./vendor/vega-interpreter-2.2.1.js"));
  vega = globalThis.vega;
}

export function viewOf(spec, options) {
  return new vega.View(vega.parse(spec, null, { ast: true }), { expr, logLevel: vega.Error, ...options });
}

// The study's own words in a chart: never replaced.
const OWN = ["values", "domain"];

/** The same chart with some of its strings exchanged. `words`: what stands for what */
export function replaced(part, words) {
  if (Array.isArray(part)) return part.map((one) => replaced(one, words));
  if (part === null || typeof part !== "object") return Object.hasOwn(words, part) ? words[part] : part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, OWN.includes(key) ? value : replaced(value, words)]),
  );
}
