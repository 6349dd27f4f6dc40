/** A run's folder: whole files or none, logs that rewind, and sentences for what is wrong. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { modelRows } from '../../src/cli/commands/models.ts';
import { RunFolder, writeWhole } from '../../src/cli/run-folder.ts';
import { checkSeal } from '../../src/cli/seal.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { emptyCheckpoint } from '../support/checkpoint.ts';
import { stepRecord } from '../support/step-record.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterEach(() => rmSync(place, { recursive: true }));

const config = resolveConfig('tiny');
it('keeps the configuration and refuses a second run in the same place', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  expect(RunFolder.open(folder.path).config).toEqual(config);
  expect(() => RunFolder.create(folder.path, config)).toThrow(/already holds a run.*mtunet resume/);
  expect(() => RunFolder.open(place)).toThrow(/holds no run/);
});

it('goes on from the checkpoint before a damaged one, and says so', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  folder.saveCheckpoint(emptyCheckpoint(1));
  folder.saveCheckpoint(emptyCheckpoint(2));
  expect(folder.loadCheckpoint().checkpoint.progress.steps).toBe(2);
  const latest = folder.file('checkpoint/latest.safetensors');
  writeFileSync(latest, readFileSync(latest).subarray(0, 40));
  const { checkpoint: older, warning } = folder.loadCheckpoint();
  expect(older.progress.steps).toBe(1);
  expect(older.current.optimizer.moments.get('w.exp_avg')!.values).toEqual(Float32Array.of(1, 1));
  expect(warning).toMatch(/latest.safetensors cannot be read/);
});

it('drops the lines after the checkpoint, half a line included', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  for (const step of [1, 2, 3]) folder.appendStep(stepRecord(step));
  writeFileSync(folder.file('steps.jsonl'), `${readFileSync(folder.file('steps.jsonl'), 'utf8')}{"step": 4, "ep`);
  folder.rewindLogs(2, 1);
  expect(folder.steps.map(({ step }) => step)).toEqual([1, 2]);
});

it('leaves nothing behind when a file cannot be written', () => {
  writeFileSync(join(place, 'file'), '');
  expect(() => writeWhole(join(place, 'file', 'below'), 'text')).toThrow();
  writeWhole(join(place, 'whole'), 'text');
  expect(readdirSync(place).sort()).toEqual(['file', 'whole']);
});

it("lists the paper's parameter counts", () => {
  const counts = Object.fromEntries(
    modelRows({ size: { height: 160, width: 112 }, inputChannels: 1, classes: 3 }).map(({ name, parameters }) => [
      name,
      parameters,
    ]),
  );
  expect(counts).toEqual({
    'mt-unet': 34632836,
    'mt-unet-b': 34628740,
    'mt-unet-t': 34567300,
    'unet-c': 34595715,
    'unet-s': 34562945,
    resnet50: 23507907,
    'efficientnet-v2-s': 20180899,
    'inception-resnet-v2': 54310499,
    simplenet: 116207332,
    'msi-net': 24933057,
    'vgg-ssm': 42686210,
  });
});

it('finds every flipped byte of a checkpoint', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  folder.saveCheckpoint(emptyCheckpoint(1));
  folder.saveCheckpoint(emptyCheckpoint(2));
  const latest = folder.file('checkpoint/latest.safetensors');
  const whole = readFileSync(latest);
  expect(() => checkSeal(whole)).not.toThrow();
  const flipped = (at: number) => whole.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
  for (let at = 0; at < whole.length; at++) expect(() => checkSeal(flipped(at)), `byte ${at}`).toThrow(/content hash/);
  for (const at of [0, 60, whole.length - 1]) {
    writeFileSync(latest, flipped(at));
    const { checkpoint: older, warning } = folder.loadCheckpoint();
    expect(older.progress.steps).toBe(1);
    expect(warning).toMatch(/goes on from the checkpoint before it/);
  }
  writeFileSync(latest, whole);
  expect(folder.loadCheckpoint().warning).toBeNull();
});

it('keeps the checkpoint when the next cannot be written, and names the damaged line of a log', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  folder.saveCheckpoint(emptyCheckpoint(1));
  mkdirSync(folder.file('checkpoint/previous.safetensors'));
  expect(() => folder.saveCheckpoint(emptyCheckpoint(2))).toThrow(/could not be written/);
  expect(folder.loadCheckpoint().checkpoint.progress.steps).toBe(1);
  const [one, three] = [1, 3].map((step) => JSON.stringify(stepRecord(step)));
  for (const damaged of ['{"step": ', '{"step": 2}', three.replace('"loss":1', '"loss":"1"')]) {
    writeFileSync(folder.file('steps.jsonl'), `${one}\n${damaged}\n${three}\n`);
    expect(() => folder.steps).toThrow(/Line 2 of .*steps\.jsonl is damaged/);
  }
});

it('keeps the weights that a run begins with', () => {
  const folder = RunFolder.create(join(place, 'run'), config);
  expect(folder.loadInitial()).toBeNull();
  const weights = {
    tensors: new Map([['w', { shape: [2], values: Float32Array.of(1, -2) }]]),
    counters: new Map([['n', 3]]),
  };
  folder.saveInitial([weights], { file: 'published.pth' });
  expect(RunFolder.open(folder.path).loadInitial()).toEqual(weights);
  expect(JSON.parse(readFileSync(folder.file('init.json'), 'utf8'))).toEqual({ file: 'published.pth' });
});
