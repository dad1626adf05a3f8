// The item's form as values, and back: what is filled in, filling it in, and problems at their fields.
import { form, isText } from "./sheet.js";

const NOT_ANSWERS = ["csrfmiddlewaretoken", "submission", "position", "sheet"];
const isAnswer = (input) => input.name && !NOT_ANSWERS.includes(input.name);

/** Field -> text, of the fields that are filled in. */
export function values() {
  return Object.fromEntries([...new FormData(form)].filter(([name]) => !NOT_ANSWERS.includes(name)));
}

export function fill(filled) {
  for (const input of form.elements) {
    if (!isAnswer(input)) continue;
    if (input.type === "radio") input.checked = filled[input.name] === input.value;
    else if (isText(input)) input.value = filled[input.name] ?? "";
  }
}

/** problems: field -> sentence. The first of them gets the focus. */
export function showProblems(problems) {
  clearProblems();
  for (const [name, sentence] of Object.entries(problems)) {
    const input = form.querySelector(`[name="${CSS.escape(name)}"]`);
    if (input) mark(input.closest("fieldset, .field"), name, sentence);
  }
  form.querySelector(".has-problem input, .has-problem textarea")?.focus();
}

export function clearProblems(within = form) {
  for (const box of [within, ...within.querySelectorAll("*")].filter((each) => each.matches(".has-problem"))) {
    box.classList.remove("has-problem");
    box.removeAttribute("aria-describedby");
    box.querySelector("textarea")?.removeAttribute("aria-invalid");
    box.querySelector(".problem")?.remove();
  }
}

function mark(box, name, sentence) {
  const line = document.createElement("p");
  Object.assign(line, { className: "problem", id: `${name}-problem`, textContent: sentence });
  line.setAttribute("role", "alert");
  box.classList.add("has-problem");
  box.querySelector("legend, label").after(line);
  const described = box.querySelector("textarea") ?? box;
  described.setAttribute("aria-describedby", line.id);
  if (described !== box) described.setAttribute("aria-invalid", "true");
}

form?.addEventListener("input", (event) => {
  const box = event.target.closest(".has-problem");
  if (box) clearProblems(box);
});
