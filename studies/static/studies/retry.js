// Does something until it has worked: at once, when the connection is back, and in growing pauses.
const PAUSES = [1, 2, 4, 8, 15, 30, 60]; // seconds

/** attempt: async, true when there is nothing left to do. Returns what starts it; asked meanwhile, it runs again. */
export function untilDone(attempt) {
  let failures = 0;
  let timer = 0;
  let isRunning = false;
  let isAskedAgain = false;

  async function run() {
    clearTimeout(timer);
    timer = 0;
    isAskedAgain = isRunning;
    if (isRunning) return;
    isRunning = true;
    const isDone = await attempt().catch(() => false);
    isRunning = false;
    if (isAskedAgain) run();
    else if (isDone) failures = 0;
    else timer = setTimeout(run, 1000 * PAUSES[Math.min(failures++, PAUSES.length - 1)]);
  }
  addEventListener("online", () => timer && run());
  return run;
}
