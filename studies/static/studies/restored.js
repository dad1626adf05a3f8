// A page that the back button brought back from the browser's cache: if its item is past, the present one is loaded.
import { form, position, sheet } from "./sheet.js";

async function isPast() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const says = (name) => page.querySelector(`meta[name="${name}"]`)?.content;
  const isSame = says("sheet") === sheet && Number(says("position") ?? -1) === position;
  const submission = page.querySelector("[data-answer] [name=submission]")?.value;
  return !isSame || submission !== form?.querySelector("[name=submission]").value;
}

addEventListener("pageshow", async (event) => {
  // Offline nothing can be asked: what is sent carries the sheet's key and the position, and is judged by the server.
  if (event.persisted && (await isPast().catch(() => false))) location.reload();
});
