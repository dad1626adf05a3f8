// The pages of an item, Overview and Features: one at a time, named by the address's hash, the last one kept.
const list = document.querySelector("[data-tabs]");
const tabs = list ? [...list.querySelectorAll("a")] : [];

/** Whoever counts what is seen hears of every change of what is open. */
export const CHANGED = "panelchange";

export const tabNames = tabs.map((tab) => tab.hash.slice(1));

export function openTab(name) {
  if (!tabNames.includes(name)) return;
  for (const tab of tabs) {
    const isOpen = tab.hash.slice(1) === name;
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    document.querySelector(tab.hash).hidden = !isOpen;
  }
  sessionStorage.setItem("page", name);
  document.dispatchEvent(new Event(CHANGED));
}

export function openedTab() {
  return tabNames.find((name) => !document.getElementById(name).hidden);
}

/** Open by hand: the address says so, and the view begins at the top of the page. */
function choose(tab) {
  openTab(tab.hash.slice(1));
  history.replaceState(history.state, "", tab.hash);
}

function enhance() {
  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const section = document.querySelector(tab.hash);
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      choose(tab);
    });
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
  addEventListener("hashchange", () => openTab(location.hash.slice(1)));
  document.body.classList.add("has-tabs");
  openTab([location.hash.slice(1), sessionStorage.getItem("page"), tabNames[0]].find((n) => tabNames.includes(n)));
}

if (list) enhance();
