// The sheet that lists the keys, and the switch that turns single keys off: somebody's speech input may press them.
import { read, write } from "./storage.js";

const dialog = document.querySelector("[data-keys]");
const button = document.querySelector("[data-open-keys]");
const control = dialog?.querySelector("input[type=checkbox]");
const KEPT = "shortcuts";

export const areOn = () => read(KEPT, "on") === "on";

export function openKeys() {
  control.checked = areOn();
  dialog.showModal();
}

function apply() {
  document.body.classList.toggle("has-keys", areOn());
}

if (dialog) {
  button.hidden = false;
  button.addEventListener("click", openKeys);
  control.addEventListener("change", () => {
    write(KEPT, control.checked ? "on" : "off");
    apply();
  });
  addEventListener("storage", (event) => event.key === KEPT && apply());
  // A press on the ground around the dialog closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  apply();
}
