// What a chart says about the mark that the pointer is at: a small table beside the pointer.
const tip = document.createElement("table");
tip.className = "chart-tip";
tip.hidden = true;

/** Vega's tooltip handler. value: headings and texts of one mark */
export function tooltip(handler, event, item, value) {
  const lines = value && typeof value === "object" ? Object.entries(value) : [];
  tip.hidden = lines.length === 0;
  if (tip.hidden) return;
  tip.replaceChildren(...lines.map(([heading, text]) => row(heading, text)));
  document.body.append(tip);
  const below = event.clientY + 16;
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${below + tip.offsetHeight > innerHeight ? above : below}px`;
}

function row(heading, text) {
  const line = document.createElement("tr");
  const [head, cell] = [document.createElement("th"), document.createElement("td")];
  head.textContent = heading;
  cell.textContent = text;
  line.append(head, cell);
  return line;
}
