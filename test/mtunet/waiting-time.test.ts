/** Time spent on a slow source is told apart from time spent on its values. */
import { expect, it } from 'vitest';
import { WaitingTime } from '../../src/mtunet/waiting-time.ts';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it('tells waiting from working, and the first wait from the others', async () => {
  const slow = async function* () {
    for (const milliseconds of [60, 20, 20]) {
      await pause(milliseconds);
      yield milliseconds;
    }
  };
  const waiting = new WaitingTime();
  const got: number[] = [];
  for await (const value of waiting.timed(slow())) {
    got.push(value);
    await pause(30);
  }
  for await (const value of waiting.timed([1])) got.push(value);
  expect(got).toEqual([60, 20, 20, 1]);
  expect(waiting.passes).toBe(2);
  // A timer may fire a millisecond early, and late on a busy machine.
  expect(waiting.first).toBeGreaterThanOrEqual(0.058);
  expect(waiting.waited).toBeGreaterThanOrEqual(0.038);
  expect(waiting.worked).toBeGreaterThanOrEqual(0.087);
  expect(waiting.sentence).toMatch(/^waited for data: \d+\.\d\d s, .* between steps; .* of 2 passes$/);
});
