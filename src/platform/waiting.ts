/**
 * Waiting for the device in Node. Dawn asks whether the device is done each time that the event loop turns, and turns it again at once as long as
 * someone waits: a whole core, which a software adapter then lacks. So the loop sleeps a little between two questions: a thirty-second of
 * the time waited so far and two milliseconds at most, which is what a step may end later. A turn in which other work was done goes on at once.
 */
const SHARE = 1 / 32;
const MOST_MS = 2;
/** A turn that took longer did more than ask. */
const BUSY_MS = 0.5;
/** No sleep is this short. */
const LEAST_MS = 0.05;

const bell = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let since = 0;
let turnBegan = 0;
let looping = false;

/** The same promise; until it settles, the event loop does not spin. */
export async function awaitDevice<T>(arriving: Promise<T>, _device?: GPUDevice): Promise<T> {
  if (waiting++ === 0) since = turnBegan = performance.now();
  if (!looping) setImmediate(rest);
  looping = true;
  try {
    return await arriving;
  } finally {
    waiting--;
  }
}

function rest(): void {
  looping = waiting > 0;
  if (!looping) return;
  const now = performance.now();
  const sleep = Math.min(MOST_MS, (now - since) * SHARE);
  if (now - turnBegan < BUSY_MS && sleep > LEAST_MS) Atomics.wait(bell, 0, 0, sleep);
  turnBegan = performance.now();
  setImmediate(rest);
}
