/** The page's thread in small portions: one piece of work a task, and a frame in between where they take long. */

/** By the clock; a frame is due every 16. */
const PORTION_MS = 5;
/** How often what no one sees follows the runs. */
const UNSEEN_MS = 2000;

type Work = () => void;

const queue: Work[] = [];
let running = false;

/** Does it soon, after what asked before. */
export function inTurn(work: Work): void {
  queue.push(work);
  if (running) return;
  running = true;
  void run();
}

async function run(): Promise<void> {
  let spent = 0;
  while (queue.length) {
    const started = performance.now();
    await nextTask();
    queue.shift()!();
    // Preact renders after it, within the task.
    await nextTask();
    spent += performance.now() - started;
    if (spent < PORTION_MS) continue;
    await nextFrame();
    spent = 0;
  }
  running = false;
}

const { port1, port2 } = new MessageChannel();
const nextTask = () =>
  new Promise<void>((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(null);
  });

/** A timer beside the frame: a tab in the background draws no frames. */
const nextFrame = () =>
  new Promise<void>((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 200);
  });

/** Whether a part of the page is in sight. Out of sight it is drawn again once in a while, and as soon as it comes into sight. */
export class Sight {
  private isSeen = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly pending: Work[] = [];

  set seen(seen: boolean) {
    this.isSeen = seen;
    if (seen) this.flush();
  }

  inTurn(work: Work): void {
    if (this.isSeen) {
      inTurn(work);
      return;
    }
    this.pending.push(work);
    this.timer ??= setTimeout(() => this.flush(), UNSEEN_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const work of this.pending.splice(0)) inTurn(work);
  }
}
