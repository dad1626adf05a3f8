// An item's page: what its scripts are. The page works without any of them.
import "./tabs.js";
import "./features.js";
import "./zoom.js";
import "./pictures.js";
import "./narrow.js";
import "./restored.js";
import "./exposure.js";
import "./keys.js";
import { sendWaiting } from "./submit.js";
import { begin } from "./undo.js";

begin();
sendWaiting();
document.body.classList.add("is-ready");
