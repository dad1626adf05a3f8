// On pages between and after the items: what waits in this browser is sent; when all is over, nothing else is kept.
import { sendReports } from "./reports.js";
import { sheet, step } from "./sheet.js";
import { keysFrom, remove } from "./storage.js";
import { sendWaiting } from "./submit.js";

const forget = (...kinds) => kinds.forEach((kind) => keysFrom(`${kind}:${sheet}:`).forEach(remove));

if (step === "withdrawn") forget("draft", "outbox", "exposure");
else sendWaiting();
// An answer that comes too late is told about before it goes.
if (step === "done") forget("draft", "exposure");
else if (step !== "withdrawn") sendReports();
