/** A finished run is held to its hashes and its metrics, and trained again to the same bits; whatever was changed since is named. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadData } from '../../src/cli/load-data.ts';
import { originOf } from '../../src/cli/manifest.ts';
import { sha256 } from '../../src/cli/pieces.ts';
import { planRetraining, retrain } from '../../src/cli/retrain.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import { verifyRun } from '../../src/cli/verify.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { SMALL } from '../support/command.ts';
import { testGpu } from '../support/gpu.ts';

const config = resolveConfig('tiny', { ...SMALL, epochs: 2 });
const dataset = loadData(config);
const NEVER = new AbortController().signal;
let place: string;
let whole: RunFolder;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
  whole = RunFolder.create(join(place, 'whole'), config);
  expect(await trainRun(await testGpu(), whole, dataset, NEVER)).toBe(true);
});
afterAll(() => rmSync(place, { recursive: true }));

const problems = async (folder: RunFolder) =>
  (await verifyRun(folder)).filter(({ problem }) => problem).map(({ what, problem }) => `${what}: ${problem}`);

function copy(name: string): RunFolder {
  cpSync(whole.path, join(place, name), { recursive: true });
  return RunFolder.open(join(place, name));
}

/** Changes a file and gives the manifest its new hash, as a careful forger would. */
function forge(folder: RunFolder, name: string, change: (text: string) => string): void {
  const text = change(readFileSync(folder.file(name), 'utf8'));
  expect(text).not.toBe(readFileSync(folder.file(name), 'utf8'));
  writeFileSync(folder.file(name), text);
  const manifest = JSON.parse(readFileSync(folder.file('manifest.json'), 'utf8'));
  manifest.files[name] = sha256(text);
  writeFileSync(folder.file('manifest.json'), JSON.stringify(manifest));
}

it('finds nothing wrong with a run as it was written, and every result carries its origin', async () => {
  expect(await problems(whole)).toEqual([]);
  const origin = originOf(whole.provenance);
  expect(origin).toMatchObject({ seed: config.seed, data: dataset.hash, package: expect.stringMatching(/^mtunet \d/) });
  expect(origin.config).toBe(sha256(readFileSync(whole.file('config.json'))));
  expect(whole.evaluation.origin).toEqual(origin);
  for (const name of ['weights', 'predictions', 'examples'])
    expect(whole.metadata(`${name}.safetensors`).origin).toEqual(origin);
});

it('keeps its last checkpoint alone once it has ended', () => {
  expect(readdirSync(whole.file('checkpoint'))).toEqual(['latest.safetensors']);
});

it('names a file that was changed, one that is missing, and a damaged checkpoint', async () => {
  const folder = copy('changed');
  const flip = (name: string) => {
    const bytes = readFileSync(folder.file(name));
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(folder.file(name), bytes);
  };
  flip('weights.safetensors');
  flip('checkpoint/latest.safetensors');
  unlinkSync(folder.file('images.jsonl'));
  expect(await problems(folder)).toEqual([
    expect.stringMatching(/^weights\.safetensors: its SHA-256 is \w{64}, it was written with \w{64}$/),
    expect.stringMatching(/^images\.jsonl: it is missing$/),
    expect.stringMatching(/^checkpoint\/latest\.safetensors: its content hash/),
    expect.stringMatching(/^metrics: images\.jsonl 0 is missing there/),
  ]);
});

it('finds a number that the predictions do not give, a foreign origin, and a gap in the log, though every hash is right', async () => {
  const folder = copy('forged');
  const { accuracy } = whole.evaluation.classification!;
  forge(folder, 'evaluation.json', (text) => text.replace(`"accuracy": ${accuracy}`, '"accuracy": 0.999'));
  forge(folder, 'provenance.json', (text) => text.replace('"seed": 1', '"seed": 2'));
  forge(folder, 'steps.jsonl', (text) => text.split('\n').slice(1).join('\n'));
  expect(await problems(folder)).toEqual([
    'origin: provenance.json is of another origin: seed is 1 there and 2 here',
    'step log: line 1 of steps.jsonl is of step 2',
    `metrics: evaluation.json classification accuracy is 0.999 there and ${accuracy} here`,
  ]);
});

it('says of a run without a manifest what to do', async () => {
  const folder = copy('old');
  unlinkSync(folder.file('manifest.json'));
  await expect(verifyRun(folder)).rejects.toThrow(/manifest\.json is missing.*mtunet reproduce/);
  writeFileSync(folder.file('manifest.json'), '{"origin": {}, "files": {"../../etc/passwd": "0"}}');
  await expect(verifyRun(folder)).rejects.toThrow(/manifest\.json is damaged/);
});

it('trains a run again to the same bits, or names the first step that differs and stops there', async () => {
  const gpu = await testGpu();
  const again = planRetraining(whole, join(place, 'again'));
  expect(await retrain(gpu, whole, again, dataset, NEVER)).toEqual({ difference: null, steps: 6, changed: null });
  expect(await problems(again)).toEqual([]);

  const other = copy('other');
  const loss = whole.steps[1].classLoss!;
  forge(other, 'steps.jsonl', (text) => text.replace(`"classLoss":${loss}`, `"classLoss":${loss + 1e-7}`));
  const result = await retrain(gpu, other, planRetraining(other, join(place, 'other-again')), dataset, NEVER);
  expect(result!.difference).toBe(`step 2: classLoss is ${loss + 1e-7} there and ${loss} here`);
  expect(result!.steps).toBe(2);
});
