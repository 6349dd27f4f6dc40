/** Tasks of a page's main thread, from a trace. */
import type { Page } from 'playwright';
import { expect } from 'vitest';

/** Milliseconds of a task, by the clock and by the processor's, which other programs do not lengthen. */
export interface Task {
  readonly wall: number;
  readonly cpu: number;
}
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The tasks of the page while `body` runs. */
export async function tasksOf(page: Page, body: () => Promise<void>): Promise<Task[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await body();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && threads.has(`${pid} ${tid}`))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

/** A task of this many milliseconds of the processor is felt. */
const LONGEST = 50;
const TIMES = 3;

/**
 * Fails where tasks are too long, each of three times that `measure` (told which time it is) does the same: what interrupts a thread is counted as
 * its own, but not at the same place again.
 */
export async function expectShortTasks(measure: (time: number) => Promise<Task[]>): Promise<void> {
  let long: Task[] = [];
  for (let time = 1; time <= TIMES; time++) {
    long = (await measure(time)).filter(({ cpu }) => cpu >= LONGEST);
    if (long.length === 0) return;
  }
  expect(long).toEqual([]);
}
