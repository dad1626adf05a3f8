// Digits choose an answer, Enter sends it. Never inside a text field, never with a modifier key.
const form = document.querySelector("[data-answer]");
const next = document.querySelector("[data-continue]");

function isTyping(element) {
  return element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
  if (isTyping(event.target)) return;
  if (/^[0-9]$/.test(event.key)) {
    const choice = form?.querySelector(`[data-key="${event.key}"]`);
    if (choice) {
      choice.checked = true;
      choice.focus();
    }
  } else if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
    event.preventDefault();
    if (form) form.requestSubmit();
    else next?.click();
  }
});

document.body.classList.add("has-keys");
