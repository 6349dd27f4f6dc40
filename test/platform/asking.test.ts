/** Asking while one waits: soon, then more seldom, and no longer than the wait. */
import { expect, it } from 'vitest';
import { askingMeanwhile } from '../../src/platform/asking.ts';

const after = <T>(ms: number, value: T) => new Promise<T>((done) => setTimeout(() => done(value), ms));

it('asks until the promise settles, and hands on its value', async () => {
  let asked = 0;
  expect(await askingMeanwhile(after(60, 'there'), () => asked++)).toBe('there');
  const then = asked;
  expect(then).toBeGreaterThan(1);
  await after(30, null);
  expect(asked).toBe(then);
});

it('is what makes a device look that looks only when it is asked', async () => {
  let settle: (value: number) => void = () => {};
  let asked = 0;
  const arriving = new Promise<number>((done) => {
    settle = done;
  });
  expect(
    await askingMeanwhile(arriving, () => {
      if (++asked === 3) settle(7);
    }),
  ).toBe(7);
});

it('hands on a rejection and stops asking', async () => {
  let asked = 0;
  await expect(askingMeanwhile(Promise.reject(new Error('lost')), () => asked++)).rejects.toThrow('lost');
  await after(20, null);
  expect(asked).toBe(0);
});
