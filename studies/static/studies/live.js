// Brings the parts of this page that are marked [data-live] up to date: the page is fetched again and compared.
// [data-every] says after how many seconds; 0 = not again.

const clock = () => Number(document.querySelector("[data-every]")?.dataset.every ?? 0);

function renew(part, fresh) {
  // What somebody is using stays as it is until the next turn.
  if (part.contains(document.activeElement)) return;
  for (const open of part.querySelectorAll("details[id][open]")) {
    fresh.querySelector(`#${open.id}`)?.setAttribute("open", "");
  }
  if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
}

async function poll() {
  if (!document.hidden) {
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (response.ok && !response.redirected) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const fresh = page.getElementById(part.id);
          if (!fresh) continue;
          if (fresh.dataset.every) part.dataset.every = fresh.dataset.every;
          renew(part, fresh);
        }
      }
    } catch {
      // The network may come back: the next turn asks again.
    }
  }
  schedule();
}

function schedule() {
  if (clock()) setTimeout(poll, clock() * 1000);
}

if (clock()) document.querySelector("[data-reload]").hidden = true;
schedule();
