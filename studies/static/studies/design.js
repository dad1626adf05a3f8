// The form of a study: rows are added and taken away, and the page follows what the desk's workers do.

const EVERY_MS = 1500;
const form = document.querySelector("[data-study-form]");
let isTouched = false;

function show(rows) {
  for (const button of rows.querySelectorAll("[data-remove]")) button.hidden = false;
}

function add(group) {
  const rows = document.querySelector(`[data-rows="${group}"]`);
  const next = Math.max(-1, ...[...rows.querySelectorAll("[data-row] [name]")].map((one) => Number(one.name.match(/\[(\d+)\]/)?.[1] ?? -1))) + 1;
  const pattern = document.querySelector(`template[data-pattern="${group}"]`);
  const row = pattern.content.firstElementChild.cloneNode(true);
  for (const one of row.querySelectorAll("*")) {
    for (const { name, value } of [...one.attributes]) {
      if (/^(id|name|for|aria-describedby)$/.test(name)) one.setAttribute(name, value.replaceAll("NEW", String(next)));
    }
  }
  const number = row.querySelector("[data-number]");
  if (number) number.textContent = String(next + 1);
  (rows.querySelector("tbody") ?? rows).append(row);
  show(row);
  row.querySelector("input:not([type=hidden]), select, textarea").focus();
}

function remove(button) {
  const row = button.closest("[data-row]");
  const near = row.nextElementSibling ?? row.previousElementSibling;
  const group = row.closest("[data-rows]").dataset.rows;
  row.remove();
  (near?.querySelector("[data-remove]") ?? document.querySelector(`[data-add="${group}"]`)).focus();
}

if (form) {
  show(form);
  for (const button of form.querySelectorAll("[data-add]")) button.hidden = false;
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.add) add(button.dataset.add);
    else if (button && "remove" in button.dataset) remove(button);
    else return;
    isTouched = true;
  });
  form.addEventListener("input", () => { isTouched = true; });
  form.addEventListener("submit", () => { isTouched = false; });
  // A tab, a link or a closed window must not take along what was typed without a question.
  window.addEventListener("beforeunload", (event) => { if (isTouched) event.preventDefault(); });
}

const desk = document.querySelector("[data-poll]");

function draw(work) {
  const place = desk.querySelector(`[data-work="${work.id}"]`);
  const bar = place.querySelector("progress");
  bar.max = work.total;
  bar.value = work.done;
  const status = place.querySelector("[role=status]");
  if (status.textContent !== work.text) status.textContent = work.text;
}

async function poll() {
  try {
    const response = await fetch(desk.dataset.poll, { headers: { Accept: "application/json" } });
    if (response.ok && !response.redirected) {
      const now = await response.json();
      now.works.forEach(draw);
      if (!now.is_moving) {
        // What somebody is typing is worth more than a fresh page.
        if (isTouched) desk.querySelector("[data-reload]").textContent = "Save or reload to see what the workers found.";
        else location.reload();
        return;
      }
    }
  } catch {
    // The network may come back: the next turn asks again.
  }
  setTimeout(poll, EVERY_MS);
}

if (desk?.dataset.moving === "yes") {
  desk.querySelector("[data-reload]").textContent = "";
  setTimeout(poll, EVERY_MS);
}
