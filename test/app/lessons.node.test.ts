/**
 * Every lesson's runs, as the page takes them, say what the lesson's theory says. In the suite the beginning of
 * one; all to their end by `npm run test:lessons`.
 */
import { expect, it } from 'vitest';
import { LESSONS } from '../../src/app/lesson-plans.ts';
import { LiveRun } from '../../src/app/live/live-run.ts';
import { overridesOf } from '../../src/app/live/settings.ts';
import type { State } from '../../src/app/store.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { testGpu } from '../support/gpu.ts';

const all = process.env.LESSONS === 'all';
const judged = LESSONS.filter(({ holds }) => holds !== null);
const taken = all ? judged : [judged[1]];
/** The sigmas of the suite's lesson are apart long before its end. */
const STEPS = all ? Number.POSITIVE_INFINITY : 8;

it.each(taken)(
  '$title',
  async (lesson) => {
    const gpu = await testGpu();
    const settings = { ...lesson.setUp, size: 'small' as const };
    const seen: Pick<State, 'rows' | 'epochs'> = { rows: [[], []], epochs: [[], []] };
    for (const which of [0, 1] as const) {
      const config = resolveConfig('tiny', overridesOf(settings, settings.runs[which]));
      const data = syntheticChests({ height: config.height, width: config.width, ...config.synthetic });
      const run = new LiveRun(gpu, config, data);
      for (let step = 0; step < Math.min(STEPS, lesson.steps); step++) {
        const { row, epoch } = await run.step('both');
        seen.rows[which].push(row);
        if (epoch) seen.epochs[which].push(epoch);
      }
      run.dispose();
    }
    console.log(`${lesson.title}: ${lesson.measured(seen)}`);
    expect(lesson.holds!(seen)).toBe(true);
  },
  600_000,
);
