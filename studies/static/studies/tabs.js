// Turns the links of [data-tabs] into tabs: one section at a time, arrow keys move between them.
const list = document.querySelector("[data-tabs]");

function open(tab, tabs) {
  for (const each of tabs) {
    const isOpen = each === tab;
    each.setAttribute("aria-selected", String(isOpen));
    each.tabIndex = isOpen ? 0 : -1;
    document.querySelector(each.hash).hidden = !isOpen;
  }
}

function enhance(list) {
  const tabs = [...list.querySelectorAll("a")];
  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const section = document.querySelector(tab.hash);
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      open(tab, tabs);
    });
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    open(next, tabs);
  });
  open(tabs[0], tabs);
  document.body.classList.add("has-tabs");
}

if (list) enhance(list);
