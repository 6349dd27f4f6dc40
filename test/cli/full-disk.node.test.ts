/** A disk that fills up, or a folder that may not be written to, at any call: one sentence, and a checkpoint that can be gone on from. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/cli/failure.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { emptyCheckpoint } from '../support/checkpoint.ts';
import { stepRecord } from '../support/step-record.ts';

/** Which call of those that write fails from here on, and how. */
const fault = vi.hoisted(() => ({ in: Number.POSITIVE_INFINITY, code: '', calls: 0 }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const faulty = Object.fromEntries(
    (['mkdirSync', 'openSync', 'writeSync', 'fsyncSync', 'renameSync', 'appendFileSync'] as const).map((name) => [
      name,
      (...args: unknown[]) => {
        if (fault.calls++ === fault.in) throw Object.assign(new Error(`${fault.code}: injected`), { code: fault.code });
        return (real[name] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...faulty };
});

let folder: RunFolder;
beforeEach(() => {
  folder = RunFolder.create(join(mkdtempSync(join(tmpdir(), 'mtunet-')), 'run'), resolveConfig('tiny'));
  folder.appendStep(stepRecord(1));
  folder.saveCheckpoint(emptyCheckpoint(1));
  folder.saveCheckpoint(emptyCheckpoint(2));
});
afterEach(() => {
  fault.in = Number.POSITIVE_INFINITY;
  rmSync(join(folder.path, '..'), { recursive: true });
});

/** Runs `work` with the fault in its `at`th call; returns what it threw, and whether the call was reached. */
function failing(at: number, code: string, work: () => void): { error: unknown; reached: boolean } {
  Object.assign(fault, { in: at, code, calls: 0 });
  try {
    work();
    return { error: null, reached: fault.calls > at };
  } catch (error) {
    return { error, reached: true };
  } finally {
    fault.in = Number.POSITIVE_INFINITY;
  }
}

describe.each([
  ['ENOSPC', /free some space, then go on\.$/],
  ['EROFS', /choose a folder that you may write to/],
  ['EACCES', /choose a folder that you may write to/],
])('%s', (code, remedy) => {
  it('while a checkpoint is written leaves one to go on from', () => {
    let at = 0;
    let told = 0;
    for (; ; at++) {
      const { error, reached } = failing(at, code, () => folder.saveCheckpoint(emptyCheckpoint(3)));
      if (!reached) break;
      if (error) {
        told++;
        expect(error).toBeInstanceOf(Failure);
        expect((error as Error).message).toMatch(/latest\.safetensors could not be written \(\w+: injected\); /);
        expect((error as Error).message).toMatch(remedy);
      }
      const { checkpoint } = folder.loadCheckpoint();
      expect([2, 3]).toContain(checkpoint.progress.steps);
      expect(readdirSync(folder.file('checkpoint')).filter((name) => name.endsWith('.part'))).toEqual([]);
      folder.saveCheckpoint(emptyCheckpoint(2));
    }
    expect(at).toBeGreaterThan(6);
    expect(told).toBeGreaterThan(4);
  });

  it('while a line of a log is written is told, and the log can be gone on with', () => {
    const { error } = failing(0, code, () => folder.appendStep(stepRecord(2)));
    expect((error as Error).message).toMatch(/steps\.jsonl could not be written/);
    expect((error as Error).message).toMatch(remedy);
    folder.appendStep(stepRecord(2));
    expect(folder.steps.map(({ step }) => step)).toEqual([1, 2]);
  });
});
