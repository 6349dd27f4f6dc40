/** Waiting where nobody asks the device often enough whether it is done: `ask` makes it look. */

/** Of the time waited so far: how much later than need be the end may be seen. */
const SHARE = 1 / 16;
const [LEAST_MS, MOST_MS] = [1, 10];

/** The same promise; until it settles, `ask` is called after 1 ms, and then each time after a sixteenth of the time waited, 10 ms at most. */
export async function askingMeanwhile<T>(arriving: Promise<T>, ask: () => void): Promise<T> {
  const began = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = () => {
    const pause = Math.min(MOST_MS, Math.max(LEAST_MS, (performance.now() - began) * SHARE));
    timer = setTimeout(() => {
      ask();
      again();
    }, pause);
  };
  again();
  try {
    return await arriving;
  } finally {
    clearTimeout(timer);
  }
}
