// The answer page works without this file. It adds tabs, the strength of the colours, and keys.
import "./tabs.js";
import "./opacity.js";
import "./keys.js";
