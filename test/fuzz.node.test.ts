/**
 * Files that strangers made, damaged at random: every reader answers with a value or one sentence. Never a crash, more than a second of
 * work, more than 256 MB, a polluted prototype or a file anywhere. FUZZ=20000 inputs a reader is the long version.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { encode as encodePng } from 'fast-png';
import jpeg from 'jpeg-js';
import { afterAll, expect, it } from 'vitest';
import { initialSettings } from '../src/app/live/settings.ts';
import { fromHash, toHash } from '../src/app/url.ts';
import { readConfigFile } from '../src/cli/config-file.ts';
import { readManifest } from '../src/cli/manifest.ts';
import { finishedShard, openPrepared, writeShard } from '../src/cli/prepared-folder.ts';
import { readRecords } from '../src/cli/report-files.ts';
import { RunFolder } from '../src/cli/run-folder.ts';
import { readMark, readSweep } from '../src/cli/sweep/run-description.ts';
import { EXPLICIT, IMPLICIT, writeDicom } from '../src/data/dicom-writer.ts';
import { readMasterSheet } from '../src/data/egd.ts';
import { windowedFilm } from '../src/data/film.ts';
import { readFilm } from '../src/data/film-file.ts';
import { inspection } from '../src/data/film-inspection.ts';
import { GazeTable } from '../src/data/gaze-table.ts';
import { readSafetensors } from '../src/engine/safetensors.ts';
import { readTorch } from '../src/engine/torch.ts';
import { resolveConfig } from '../src/mtunet/config.ts';
import { buildReport } from '../src/report/report.ts';
import compressed from './data/fixtures/compressed-films.json' with { type: 'json' };
import { fakeRun } from './report/fake-runs.ts';
import { emptyCheckpoint } from './support/checkpoint.ts';
import { damaged } from './support/damaged-bytes.ts';
import { ascii, attribute, dicomFile, encapsulated, item, UID, UNDEFINED_LENGTH, words } from './support/dicom-file.ts';
import { goldenPart } from './support/golden-part.ts';
import { encodeLosslessJpeg } from './support/jpeg-lossless-encoder.ts';
import { goldenFolder } from './support/oracle.ts';
import { writePng } from './support/png-writer.ts';

const RUNS = Number(process.env.FUZZ ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? 2022);
const SECOND = 1e6; // microseconds of this process: a busy machine does not make a reader slow
const MOST_BYTES = 256 * 2 ** 20;

const place = mkdtempSync(join(tmpdir(), 'mtunet-fuzz-'));
afterAll(() => rmSync(place, { recursive: true }));

const text = (words: string) => new TextEncoder().encode(words);
const recorded = (ending: RegExp, folders = [join(goldenFolder, 'loading')]) =>
  folders
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => ending.test(path))
    .map((path) => new Uint8Array(readFileSync(path)))
    .filter(({ length }) => length < 20_000);

const grey = Uint16Array.from({ length: 64 }, (_, i) => i * 60);
const pixels = new Uint8Array(grey.buffer);
const film = { height: 8, width: 8, bits: 12, allocated: 16, photometric: 'MONOCHROME2', pixels } as const;
const rgba = Uint8Array.from({ length: 256 }, (_, i) => (i * 7) % 256);

const file = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(place, name), bytes);
  return join(place, name);
};

/** A run folder in which one file is damaged; all that reads it is called, each on its own. */
function readRun(damage: string) {
  const folder = RunFolder.create(join(place, 'run', damage.replace(/\W/g, '-')), resolveConfig('tiny'));
  folder.saveCheckpoint(emptyCheckpoint(1));
  mkdirSync(join(folder.path, 'checkpoint'), { recursive: true });
  return (bytes: Uint8Array) => {
    writeFileSync(folder.file(damage), bytes);
    const readers = [
      () => folder.config,
      () => folder.steps,
      () => folder.loadCheckpoint(),
      () => folder.loadWeights(),
      () => folder.loadInitial(),
      () => readManifest(folder),
      () => readSweep(folder.path),
    ];
    for (const read of readers) answer(read);
  };
}

/** What a reader may throw: one sentence that it wrote. */
function isSentence(error: unknown): void {
  expect(error).toBeInstanceOf(Error);
  const { name, message, stack } = error as Error;
  if (name === 'AssertionError') throw error; // of this test itself
  expect(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'], stack).not.toContain(name);
  expect(message.length, message).toBeLessThan(4000);
  expect(message, stack).toMatch(/\S[.?]?$/);
}

function answer(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    isSentence(error);
  }
}

/** A finished run with one damaged file, as the report, `verify`, `evaluate` and `compare` read it. */
const fake = fakeRun({ epochs: 2, stepsPerEpoch: 2, height: 8, width: 8, examples: 1 });
const jsonLines = (records: readonly unknown[]) => text(records.map((one) => `${JSON.stringify(one)}\n`).join(''));
const size = { height: 8, width: 8, classNames: ['a', 'b', 'c'] };
const PAGE_EVERY = 10;
let pages = 0;
function readFinished(damage: string) {
  const folder = RunFolder.create(join(place, 'finished', damage.replace(/\W/g, '-')), resolveConfig('tiny'));
  const origin = { config: '', package: 'p', commit: null, data: 'd', adapter: 'a', driver: 'd', seed: 1 };
  folder.write('steps.jsonl', jsonLines(fake.steps));
  folder.write('epochs.jsonl', jsonLines(fake.epochs));
  folder.writeJson('evaluation.json', { ...fake.evaluation, origin });
  folder.writeJson('provenance.json', fake.provenance);
  folder.saveImages(fake.evaluation.examples);
  const blank = new Float32Array(64);
  folder.saveExamples([{ image: blank, gaze: blank, prediction: blank }], size, origin);
  const maps = { saliency: [new Float32Array(64)], diagnosis: [new Float32Array(3)] };
  folder.savePredictions(maps, size, origin);
  const corpus = new Uint8Array(readFileSync(folder.file(damage)));
  const read = (bytes: Uint8Array) => {
    writeFileSync(folder.file(damage), bytes);
    if (damage.endsWith('.safetensors')) answer(() => folder.metadata(damage));
    if (damage.startsWith('predictions')) return answer(() => folder.predictions);
    // A page takes longer than all the rest.
    answer(() => {
      const runs = [readRecords(folder.path)];
      if (pages++ % PAGE_EVERY === 0) buildReport({ title: 't', generated: '', runs });
    });
  };
  return { corpus: [corpus], read };
}

/** A prepared folder with one damaged file. */
function readPrepared(damage: string) {
  const out = join(place, 'prepared', damage.replace(/\W/g, '-'));
  mkdirSync(join(out, 'shards'), { recursive: true });
  const one = { sourceHash: 'h', gazeSamples: 1, readings: 1, image: new Uint16Array(64), gaze: new Uint16Array(64) };
  const { sha256 } = writeShard(out, 0, [{ id: 'a', ...one }], { key: 'k', skipped: [], height: 8, width: 8 });
  const index = {
    ...{ format: 'mtunet-data-1', name: 'n', height: 8, width: 8, classNames: ['a', 'b'], settings: {}, skipped: [] },
    cases: [
      {
        id: 'a',
        patient: 'p',
        label: 0,
        split: 'train',
        source: 's',
        sourceHash: 'h',
        gazeSamples: 1,
        shard: 0,
        place: 0,
      },
    ],
    shards: [{ file: 'shards/0000.safetensors', sha256 }],
    calibrationScreens: 0,
    leakage: { patients: 0, films: 0 },
  };
  writeFileSync(join(out, 'index.json'), JSON.stringify(index));
  expect(openPrepared(out).train[0].image.length).toBe(64);
  const corpus = new Uint8Array(readFileSync(join(out, damage)));
  const read = (bytes: Uint8Array) => {
    writeFileSync(join(out, damage), bytes);
    answer(() => openPrepared(out).train.map(({ image, gaze }) => [image, gaze]));
    answer(() => finishedShard(out, 0, 'k'));
  };
  return { corpus: [corpus], read };
}

/** DONE or FAILED.json of a run in a sweep. */
function readMarked(damage: string, mark: object) {
  const run = { index: 0, name: 'a-seed1', row: 'a', seed: 1, key: 'k', config: resolveConfig('tiny') };
  const folder = join(place, 'marked');
  mkdirSync(join(folder, run.name), { recursive: true });
  const read = (bytes: Uint8Array) => {
    writeFileSync(join(folder, run.name, damage), bytes);
    const { done, failed } = readMark({ folder, runs: [run] }, run);
    expect([done === null || done.key === 'k', failed === null || typeof failed.reason]).toEqual([
      true,
      failed === null ? true : 'string',
    ]);
  };
  return { corpus: [text(JSON.stringify(mark))], read };
}

const hash = '0'.repeat(64);
const manifest = {
  origin: { config: hash, package: 'mtunet', commit: null, data: 'd', adapter: 'a', driver: 'd', seed: 1 },
  files: { 'config.json': hash },
};
const sweep = { runs: [{ index: 0, name: 'a-seed1', row: 'a', seed: 1, key: 'k', config: resolveConfig('tiny') }] };
const config = text(JSON.stringify(resolveConfig('tiny')));

/** Attributes and encodings that `film` lacks: rescale, padding, window, sequences; signed; big endian. */
const attributes = { height: 8, width: 8, stored: 12, pixels: words(grey) };
const lossless = (predictor: number) => ({
  syntax: UID.lossless,
  pixels: encapsulated([
    encodeLosslessJpeg(
      grey.map((value) => value & 4095),
      { height: 8, width: 8, precision: 12, predictor, pointTransform: 1 },
    ),
  ]),
  pixelVr: 'OB',
  pixelLength: UNDEFINED_LENGTH,
});
const dicomFiles = [UID.explicit, UID.implicit, UID.big].map((syntax) =>
  dicomFile({
    ...{ ...attributes, syntax, signed: true, photometric: 'MONOCHROME1', trailing: new Uint8Array(5) },
    pixels: words(grey, syntax !== UID.big),
    set: {
      ...attribute(0x00081140, 'SQ', item(new Uint8Array(0), { littleEndian: syntax !== UID.big })),
      ...attribute(0x00280008, 'IS', ascii('1')),
      ...attribute(0x00280120, 'SS', words([-7], syntax !== UID.big)),
      ...attribute(0x00281050, 'DS', ascii('100\\7')),
      ...attribute(0x00281051, 'DS', ascii('200')),
      ...attribute(0x00281052, 'DS', ascii('-1024')),
      ...attribute(0x00281053, 'DS', ascii('2.5')),
    },
  }),
);
const png = { height: 8, width: 8, depth: 2, samples: Array.from(grey, (value) => value & 3) };
const transparency = ['tRNS', Uint8Array.of(255, 255)] as const;
const exif = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
const PICTURES = 'test/golden/films';

/** Whatever is read has the size that it says, values within its range, and can be described and windowed. */
async function readPicture(bytes: Uint8Array): Promise<void> {
  const read = await readFilm('a.dcm', bytes);
  const { height, width, pixels, range, details } = read;
  expect(pixels.length).toBe(height * width);
  expect(pixels.every((value) => value <= range)).toBe(true);
  const values = details.values();
  expect(values.length).toBe(pixels.length);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(windowedFilm(read).pixels.length).toBe(pixels.length);
  JSON.stringify(inspection('a.dcm', read));
}

const READERS: Record<
  string,
  { readonly corpus: readonly Uint8Array[]; readonly read: (bytes: Uint8Array) => unknown }
> = {
  safetensors: { corpus: recorded(/\.safetensors$/), read: readSafetensors },
  'PyTorch files': {
    corpus: recorded(/\.pth?$/, [join(goldenFolder, 'loading'), goldenPart('checkpoints')]),
    read: (bytes) => readTorch(bytes),
  },
  DICOM: {
    corpus: [
      ...[EXPLICIT, IMPLICIT, '1.2.840.10008.1.2.5', '1.2.840.10008.1.2.4.50'].map((syntax) =>
        writeDicom({ ...film, syntax }),
      ),
      ...dicomFiles,
    ],
    read: readPicture,
  },
  'DICOM, compressed': {
    corpus: [
      ...compressed.cases.map((one) => new Uint8Array(Buffer.from(one.file, 'base64'))),
      ...[1, 7].map((predictor) => dicomFile({ ...attributes, ...lossless(predictor) })),
    ],
    read: readPicture,
  },
  'recorded pictures': {
    corpus: readdirSync(PICTURES)
      .filter((name) => !name.endsWith('.json'))
      .map((name) => new Uint8Array(readFileSync(join(PICTURES, name)))),
    read: readPicture,
  },
  PNG: {
    corpus: [
      encodePng({ height: 8, width: 8, data: grey, depth: 16, channels: 1 }),
      encodePng({ height: 8, width: 8, data: rgba, depth: 8, channels: 4 }),
      await writePng({
        ...png,
        type: 3,
        palette: [0, 1, 2, 3].map((i) => [i, 2 * i, 9] as const),
        chunks: [transparency],
      }),
      await writePng({ ...png, type: 0, chunks: [transparency, ['eXIf', Uint8Array.from(exif)]] }),
    ],
    read: readPicture,
  },
  JPEG: {
    corpus: [
      ...[20, 90].map((quality) => new Uint8Array(jpeg.encode({ data: rgba, width: 8, height: 8 }, quality).data)),
      encodeLosslessJpeg(grey, { height: 8, width: 8, precision: 16, predictor: 4, restartLines: 2, dnl: true }),
      encodeLosslessJpeg(grey, {
        ...{ height: 8, width: 8, precision: 16, predictor: 7, fill: 2 },
        segments: [[0xe1, 0x45, 0x78, 0x69, 0x66, 0, 0, ...exif]],
      }),
    ],
    read: readPicture,
  },
  'gaze tables': {
    corpus: [
      text('DICOM_ID,X_ORIGINAL,Y_ORIGINAL\na,1,2\n"b",3.5,-4e2\n'),
      text('a,DICOM_ID,Y_ORIGINAL,X_ORIGINAL\r\n"x\ny",b,1,2\r\n'),
    ],
    read: (bytes) => {
      const table = new GazeTable('eye_gaze.csv');
      table.push(bytes.subarray(0, bytes.length >> 1));
      table.push(bytes.subarray(bytes.length >> 1));
      table.end();
      const lenient = new GazeTable('eye_gaze.csv', undefined, () => {});
      lenient.push(bytes);
      lenient.end();
      expect(lenient.rows).toBe(table.rows);
    },
  },
  'master sheets': {
    corpus: [
      text(
        `dicom_id,path,patient_id,Normal,CHF,pneumonia\n${['a', 'b'].map((digit) => `"${Array(5).fill(digit.repeat(8)).join('-')}",files/p1/a.dcm,1,1,0,"0"\n`).join('')}`,
      ),
    ],
    read: (bytes) => {
      readMasterSheet('master_sheet.csv', bytes, () => {});
      readMasterSheet('master_sheet.csv', bytes);
    },
  },
  configurations: {
    corpus: [config, text('epochs: 3\nnetwork:\n  base: 2\nscheme: &s { name: mtls1 }\nother: *s\n')],
    read: (bytes) => resolveConfig('tiny', readConfigFile(file('config.yaml', bytes))),
  },
  'URL hashes': {
    corpus: [text(toHash(initialSettings))],
    read: (bytes) => {
      const settings = fromHash(new TextDecoder().decode(bytes));
      expect(toHash(fromHash(toHash(settings)))).toBe(toHash(settings));
    },
  },
  'run folders: config.json': { corpus: [config], read: readRun('config.json') },
  'run folders: steps.jsonl': { corpus: [jsonLines(fake.steps)], read: readRun('steps.jsonl') },
  'run folders: manifest.json': { corpus: [text(JSON.stringify(manifest))], read: readRun('manifest.json') },
  'run folders: sweep.json': { corpus: [text(JSON.stringify(sweep))], read: readRun('sweep.json') },
  'run folders: checkpoint': {
    corpus: [readFileSync(join(RunFolder.open(join(place, 'run/steps-jsonl')).path, 'checkpoint/latest.safetensors'))],
    read: readRun('checkpoint/latest.safetensors'),
  },
  'run folders: evaluation.json': readFinished('evaluation.json'),
  'run folders: provenance.json': readFinished('provenance.json'),
  'run folders: epochs.jsonl': readFinished('epochs.jsonl'),
  'run folders: images.jsonl': readFinished('images.jsonl'),
  'run folders: predictions': readFinished('predictions.safetensors'),
  'run folders: examples': readFinished('examples.safetensors'),
  'run folders: DONE': readMarked('DONE', { key: 'k', finished: '' }),
  'run folders: FAILED.json': readMarked('FAILED.json', { reason: 'r', failed: '' }),
  'prepared data: index.json': readPrepared('index.json'),
  'prepared data: a shard': readPrepared('shards/0000.safetensors'),
  'prepared data: the note of a shard': readPrepared('shards/0000.json'),
  'run folders: weights': { corpus: recorded(/good\.safetensors$/), read: readRun('weights.safetensors') },
};

/** A busy machine may take a tenth of a second for one. */
const timeout = Math.max(300_000, RUNS * 100);

it.each(Object.entries(READERS))(`%s: ${RUNS} damaged inputs`, { timeout }, async (name, { corpus, read }) => {
  expect(corpus.length).toBeGreaterThan(0);
  // Other test files build meanwhile.
  const here = () => readdirSync('.').filter((entry) => !['coverage', 'dist'].includes(entry));
  const outside = () => [readdirSync(place).sort(), here().sort()];
  file('config.yaml', text('epochs: 1'));
  const before = outside();
  let values = 0;
  const property = fc.asyncProperty(damaged(corpus), async (bytes) => {
    const began = process.cpuUsage();
    const { heapUsed, arrayBuffers, external } = process.memoryUsage();
    try {
      await read(bytes);
      values++;
    } catch (error) {
      isSentence(error);
    }
    const { user, system } = process.cpuUsage(began);
    const after = process.memoryUsage();
    expect(user + system, 'microseconds').toBeLessThan(SECOND);
    const grown = after.heapUsed - heapUsed + Math.max(after.arrayBuffers - arrayBuffers, after.external - external);
    expect(grown, 'bytes').toBeLessThan(MOST_BYTES);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
  await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: RUNS > 500 });
  expect(outside()).toEqual(before);
  if (RUNS > 500) console.log(`${name}: ${RUNS} inputs, ${values} read, ${RUNS - values} refused`);
});
