// On pages between and after the items: what waits in this browser is sent; when all is over, nothing is kept.
import { sendReports } from "./reports.js";
import { sheet, step } from "./sheet.js";
import { keysFrom, remove } from "./storage.js";
import { sendWaiting } from "./submit.js";

if (["done", "withdrawn"].includes(step)) {
  for (const kind of ["draft", "outbox", "exposure"]) keysFrom(`${kind}:${sheet}:`).forEach(remove);
} else {
  sendWaiting();
  sendReports();
}
