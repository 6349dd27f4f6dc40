/** The page trains: soon, without blocking, and to the losses that Node computes. */
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { LiveRun } from '../../src/app/live/live-run.ts';
import { overridesOf } from '../../src/app/live/settings.ts';
import { fromHash } from '../../src/app/url.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { servedApp } from '../support/app-build.ts';
import { csvOf, onPage, photograph, readyToTrain, type Told, violations } from '../support/app-page.ts';
import { testGpu } from '../support/gpu.ts';
import { expectShortTasks, type Task, tasksOf } from '../support/main-thread.ts';

const HASH = '#seed=3&train=60&size=small&dropout=0.25&a=mtls1~adam~0.005&b=mtls3~sgd~0.02';
const app = servedApp();

it('losses fall, and equal those of Node; no task blocks the page; all of it is accessible', async () => {
  await expectShortTasks(async (time) => {
    let tasks: Task[] = [];
    await onPage({ address: app().address, webgpu: true }, async (page, told) => {
      tasks = await trains(page, told);
      if (time === 1) await comparesWithNode(page);
    });
    return tasks;
  });
});

/** Twenty steps of two networks. */
async function trains(page: Page, told: Told): Promise<Task[]> {
  const tasks = await tasksOf(page, async () => {
    await page.goto(app().address + HASH);
    await readyToTrain(told);
    // Keys, unlike clicks, need no script of the test in the page.
    await page.keyboard.press(' ');
    await expect.poll(() => told.step, { timeout: 240_000 }).toBeGreaterThanOrEqual(20);
    await page.keyboard.press(' ');
  });
  const longest = (of: (task: Task) => number) => Math.max(...tasks.map(of)).toFixed(0);
  const beyond = (of: (task: Task) => number, ms: number) => tasks.filter((task) => of(task) > ms).length;
  const [wall, cpu] = [({ wall }: Task) => wall, ({ cpu }: Task) => cpu];
  console.log(
    `Page there after ${told.there.toFixed(0)} ms, ready to train after ${told.ready.toFixed(0)} ms. Of ${tasks.length} tasks the longest takes ${longest(wall)} ms, and ${beyond(wall, 50)} more than 50; by the processor's clock ${longest(cpu)} ms, and ${beyond(cpu, 10)} more than 10.`,
  );
  expect(tasks.length).toBeGreaterThan(100);
  return tasks;
}

async function comparesWithNode(page: Page): Promise<void> {
  expect(await page.locator('#scheme-B').inputValue()).toBe('mtls3');
  await page.waitForSelector('#play[aria-pressed=false]');
  const rows = await csvOf(page);
  const mean = (list: { saliency: number }[]) => list.reduce((sum, { saliency }) => sum + saliency, 0) / list.length;
  for (const name of ['A', 'B']) {
    const mine = rows.filter(({ run }) => run === name);
    expect(mine.length).toBeGreaterThanOrEqual(20);
    expect(mean(mine.slice(15, 20))).toBeLessThan(mean(mine.slice(0, 5)));
  }

  const settings = fromHash(HASH);
  const config = resolveConfig('tiny', overridesOf(settings, settings.runs[0]));
  const data = syntheticChests({ height: config.height, width: config.width, ...config.synthetic });
  const gpu = await testGpu();
  const run = new LiveRun(gpu, config, data);
  // Sums run in another order on another adapter, and Adam's steps follow the sign of the smallest gradient: there the first loss alone is the same.
  const name = await page.locator('#adapter').getAttribute('title');
  for (let step = 1; step <= (name === gpu.description.name ? 10 : 1); step++) {
    const { row } = await run.step('both');
    const there = rows.find((one) => one.run === 'A' && one.step === step)!;
    expect(Math.abs(there.loss - row.loss)).toBeLessThan(1e-4);
  }
  run.dispose();
  await photograph(page, 'desktop');
  expect(await violations(page)).toEqual([]);
}
