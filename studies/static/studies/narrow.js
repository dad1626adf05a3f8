// The notice on small screens goes when it has been read, and stays away in this browser.
import { read, write } from "./storage.js";

const notice = document.querySelector("[data-narrow]");

if (notice) {
  notice.hidden = read("narrow-read", false);
  const button = notice.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => {
    write("narrow-read", true);
    notice.hidden = true;
  });
}
