// The precomputation's bar on the overview: asked every 2 s while something is being computed.

const EVERY_MS = 2000;
const card = document.querySelector("[data-progress]");

async function poll() {
  try {
    const response = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
    if (response.ok && !response.redirected) {
      const now = await response.json();
      const bar = card.querySelector("progress");
      bar.max = Math.max(now.total, 1);
      bar.value = now.ready;
      card.querySelector("[role=status]").textContent = now.text;
      if (!now.is_moving) {
        location.reload();
        return;
      }
    }
  } catch {
    // The network may come back: the next turn asks again.
  }
  setTimeout(poll, EVERY_MS);
}

if (card && card.dataset.moving === "yes") {
  card.querySelector("[data-reload]").hidden = true;
  setTimeout(poll, EVERY_MS);
}
