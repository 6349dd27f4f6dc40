/** While the device works, the event loop sleeps between its turns, unless it has other work. */
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { awaitDevice } from '#gpu-host';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Milliseconds of every sleep while `work` goes on. */
async function sleepsDuring(work: () => Promise<unknown>): Promise<number[]> {
  const spy = vi.spyOn(Atomics, 'wait');
  await work();
  return spy.mock.calls.map(([, , , milliseconds]) => Number(milliseconds));
}

/** Asks at each turn of the event loop, as Dawn does, until `done` settles; `ms` is what a turn takes. */
async function turning(done: Promise<unknown>, ms = 0): Promise<number> {
  let turns = 0;
  let over = false;
  const turn = () => {
    const until = performance.now() + ms;
    while (performance.now() < until) {}
    turns++;
    if (!over) setImmediate(turn);
  };
  turn();
  await done;
  over = true;
  return turns;
}

test('a wait sleeps a little at first, two milliseconds at most, and does not spin', async () => {
  let turns = 0;
  const sleeps = await sleepsDuring(async () => {
    turns = await turning(awaitDevice(after(300)));
  });
  expect(sleeps.length).toBeGreaterThan(10);
  expect(sleeps[0]).toBeLessThan(1);
  expect(Math.max(...sleeps)).toBeLessThanOrEqual(2);
  expect(turns).toBeLessThan(3000); // some ten thousands without the sleeps
});

test('nobody sleeps when nobody waits, nor while other work fills the turns', async () => {
  expect(await sleepsDuring(() => turning(after(50)))).toEqual([]);
  expect(await sleepsDuring(() => turning(awaitDevice(after(50)), 1))).toEqual([]);
});

test('what the device says is passed on, and waits that follow each other do not add up', async () => {
  await expect(awaitDevice(Promise.resolve(7))).resolves.toBe(7);
  await expect(awaitDevice(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  for (let i = 0; i < 50; i++) await awaitDevice(Promise.resolve(i));
  const immediate = vi.spyOn(globalThis, 'setImmediate');
  const turns = await turning(awaitDevice(after(40)));
  expect(immediate.mock.calls.length).toBeLessThan(3 * turns); // one loop beside the other; fifty would be fifty a turn
});
