// How strongly the colours lie over the pictures, and taking them off; kept for the next items of this visit.
import { read, write } from "./storage.js";

const control = document.querySelector("[data-opacity]");
const original = document.querySelector("#show-original");

export function toggleOriginal() {
  original?.click();
}

if (control) {
  const slider = control.querySelector("input");
  const apply = () => document.documentElement.style.setProperty("--overlay-opacity", slider.value / 100);
  slider.value = read("opacity", slider.value);
  slider.addEventListener("input", () => {
    write("opacity", slider.value);
    apply();
  });
  apply();
  control.hidden = false;
}
