// How strongly the colours lie over the pictures; kept for the next items of this visit.
const control = document.querySelector("[data-opacity]");

if (control) {
  const slider = control.querySelector("input");
  const apply = () => {
    document.documentElement.style.setProperty("--overlay-opacity", slider.value / 100);
    sessionStorage.setItem("opacity", slider.value);
  };
  slider.value = sessionStorage.getItem("opacity") ?? slider.value;
  slider.addEventListener("input", apply);
  apply();
  control.hidden = false;
}
