/** Runs the test files below in whatever place loads this module, and says how they ended. */
import { type File, startTests, type Task, type VitestRunner } from '@vitest/runner';
import { runtime } from '#gpu-host';
import { openGpu } from '../../src/engine/index.ts';
import { largestError } from '../support/all-close.ts';

export interface Outcome {
  readonly adapter: string;
  readonly runtime: string;
  readonly passed: number;
  readonly failed: number;
  readonly not_run: number;
  /** In units of the tolerance, and what had it. */
  readonly largest_error: number;
  readonly largest_error_in: string;
  readonly failures: readonly string[];
}

/** The operations, the recorded networks and training of MT-UNet, the check of a machine with its injected fault, and a lost device. */
const files = import.meta.glob([
  '../engine/ops/*.test.ts',
  '!../engine/ops/*.node.test.ts',
  '../mtunet/recorded-networks.node.test.ts',
  '../mtunet/recorded-training.node.test.ts',
  '../doctor/*.test.ts',
]);

/** Of the recorded files, by the names of the tests; the other networks belong to `npm run test:networks`. */
const CHOSEN: Readonly<Record<string, RegExp>> = {
  'recorded-networks': /^recorded networks (mt_unet|mt_unet_[bt]|unet_[cs])-\S+ matches/,
  'recorded-training': /predicts in|differentiates|trains with Adam lr 0\.001, \w+, optimizing ln sigma/,
};

const chosen = ({ file, fullTestName }: Task) => {
  const [, pattern] = Object.entries(CHOSEN).find(([part]) => file.filepath.includes(part)) ?? [];
  return !pattern || pattern.test((fullTestName ?? '').replaceAll(' > ', ' ').replace(/^\S*\.test\.ts /, ''));
};

const testsOf = (tasks: readonly Task[]): Task[] =>
  tasks.flatMap((task) => ('tasks' in task ? testsOf(task.tasks) : [task]));

const PATIENCE_MS = 600_000;

class Runner implements VitestRunner {
  readonly config = {
    ...{ root: '/', name: undefined, setupFiles: [], passWithNoTests: false, testNamePattern: undefined },
    ...{ allowOnly: false, chaiConfig: undefined, maxConcurrency: 1, retry: 0, includeTaskLocation: false },
    ...{ tags: [], tagsFilter: undefined, strictTags: false },
    sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' } as const,
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
  };
  private readonly tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  async importFile(path: string): Promise<void> {
    await files[path]();
  }

  onCollected(collected: File[]): void {
    for (const test of testsOf(collected)) if (!chosen(test)) test.mode = 'skip';
  }

  onAfterRunSuite(suite: { name: string; type: string; filepath?: string }): void {
    if (suite.filepath) this.tell(suite.filepath.replace(/^.*\//, ''));
  }
}

export async function runTests(tell: (line: string) => void): Promise<Outcome> {
  const gpu = await openGpu();
  const adapter = `${gpu.description.name}, ${gpu.description.driver}`;
  gpu.destroy();
  const runner = new Runner(tell);
  const done: Task[] = [];
  const broken: string[] = [];
  // One after another, each with a device of its own.
  for (const filepath of Object.keys(files)) {
    const [file] = await startTests([{ filepath }], runner);
    const tests = testsOf(file.tasks);
    const wanted = tests.filter(chosen);
    done.push(...wanted);
    if (wanted.length === 0) broken.push(`${filepath}: none of its tests was chosen`);
    if (tests.length === 0 || file.result?.state === 'fail')
      for (const { message } of file.result?.errors ?? []) broken.push(`${filepath}: ${message}`);
  }
  const failed = done.filter(({ result }) => result?.state === 'fail');
  const passed = done.filter(({ result }) => result?.state === 'pass');
  const said = failed.map((test) => `${test.fullTestName}: ${test.result?.errors?.[0]?.message ?? ''}`);
  return {
    adapter,
    runtime,
    passed: passed.length,
    failed: failed.length + broken.length,
    not_run: done.length - passed.length - failed.length,
    largest_error: Number(largestError.share.toPrecision(3)),
    largest_error_in: largestError.what,
    failures: [...said, ...broken].map((line) => line.slice(0, 400)),
  };
}
