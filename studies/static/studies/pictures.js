// A picture that does not load says so and can be asked for again: nobody is to judge an item without its picture.
function fail(image) {
  const box = image.closest(".picture, .graph");
  if (!box || box.querySelector(".failed")) return;
  const line = Object.assign(document.createElement("span"), { className: "failed" });
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
  line.setAttribute("role", "alert");
  line.append("A picture did not load. ", again);
  again.addEventListener("click", () => {
    line.remove();
    for (const each of box.querySelectorAll("img")) if (!each.naturalWidth) each.src = each.src;
  });
  box.append(line);
}

for (const image of document.querySelectorAll("main img")) {
  image.addEventListener("error", () => fail(image));
  if (image.complete && !image.naturalWidth) fail(image);
}
