/**
 * Every lesson's runs, as the page takes them, say what the lesson's theory says. In the suite the beginning of
 * two; all to their end by `npm run test:lessons`, or one to its end with LESSONS=3.
 *
 * All five to their end on the embedded SwiftShader, 2026-11-25, on two busy cores: 1 diagnosis on validation films A 0.918, B 0.849 nats; 2 sigmas
 * A 1.44 and 1.77, B 1.13 and 1.14; 3 weight of saliency A 1.83, B 1.00; 4 weight of diagnosis A 1.00, B 2.49 (its last step alone said 0.256); 5 raw
 * losses A 2.23, B 2.22 nats. 94 to 503 seconds each, the last 26.
 */
import { expect, it } from 'vitest';
import { LESSONS } from '../../src/app/lesson-plans.ts';
import { LiveRun } from '../../src/app/live/live-run.ts';
import { overridesOf } from '../../src/app/live/settings.ts';
import type { State } from '../../src/app/store.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { testGpu } from '../support/gpu.ts';

const { LESSONS: asked } = process.env;
/** By number. */
const wanted = asked === 'all' ? [1, 2, 3, 4, 5] : asked ? [Number(asked)] : [2, 5];
/** In the suite: what these two tell shows long before their end. */
const BEGINNING = asked ? {} : { 2: 3, 5: 8 };

it.each(wanted)(
  'lesson %i',
  async (number) => {
    const lesson = LESSONS[number - 1];
    const steps = (BEGINNING as Record<number, number>)[number] ?? lesson.steps;
    const gpu = await testGpu();
    const settings = { ...lesson.setUp, size: 'small' as const };
    const seen: Pick<State, 'rows' | 'epochs'> = { rows: [[], []], epochs: [[], []] };
    for (const which of [0, 1] as const) {
      const config = resolveConfig('tiny', overridesOf(settings, settings.runs[which]));
      const data = syntheticChests({ height: config.height, width: config.width, ...config.synthetic });
      const run = new LiveRun(gpu, config, data);
      for (const { run: of, task, sigma } of lesson.held ?? []) if (of === which) run.hold(task, sigma);
      for (let step = 0; step < steps; step++) {
        const { row, epoch } = await run.step('both');
        seen.rows[which].push(row);
        if (epoch) seen.epochs[which].push(epoch);
      }
      run.dispose();
    }
    console.log(`${lesson.title}: ${lesson.measured(seen)}`);
    expect(lesson.holds(seen)).toBe(true);
  },
  asked ? 3_600_000 : 600_000,
);
