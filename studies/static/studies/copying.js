// A button that copies a text of the page. Where the browser has no clipboard (plain http), it selects the text instead.

for (const row of document.querySelectorAll("[data-copy]")) {
  const text = document.getElementById(row.dataset.copy);
  row.hidden = false;
  row.querySelector("button").addEventListener("click", async () => {
    row.querySelector("[role=status]").textContent = await copied(text) ? "Copied" : "Selected: press Ctrl+C";
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text.innerText);
    return true;
  } catch {
    getSelection().selectAllChildren(text);
    return false;
  }
}
