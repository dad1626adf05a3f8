// Runs before the page is drawn, and says what this browser keeps: which page of the item was open, whether keys are on
// and whether the notice on small screens was read. By it item.css keeps the room of what the other scripts will show.
{
  const known = ["overview", "features"];
  const named = location.hash.replace(/^#e[0-9]+f[0-9]+$/, "#features").slice(1);
  const { dataset } = document.documentElement;
  dataset.page = known[0];
  dataset.shortcuts = "on";
  try {
    dataset.page = [named, sessionStorage.getItem("page"), known[0]].find((name) => known.includes(name));
    dataset.shortcuts = JSON.parse(localStorage.getItem("shortcuts")) ?? "on";
    dataset.narrowRead = localStorage.getItem("narrow-read") === "true";
  } catch {
    // refused: nothing was kept
  }
}
