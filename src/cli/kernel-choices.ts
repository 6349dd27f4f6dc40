/**
 * Which kernels a run computes with: its own kernels.json where it has one, so that a run that is resumed or trained again has the same bits; else
 * what --autotune finds, which is asked for by itself on a GPU; else the fixed rule.
 *
 * What was found is kept for other runs in autotune.json of the cache folder: by adapter, driver, version, batch, layer and pass, with the
 * times. The file may be read, copied to another machine of the kind, and deleted.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import type { Gpu } from '../engine/index.ts';
import { autotune, type TuneCache, type Tuned, type TuneMode } from '../mtunet/autotune.ts';
import type { TrainConfig } from '../mtunet/config.ts';
import { cacheFolder } from '../platform/unpack.ts';
import { UsageError } from './failure.ts';
import { note } from './messages.ts';
import { packageVersion } from './provenance.ts';
import type { RunFolder } from './run-folder.ts';
import { writeWhole } from './whole-file.ts';

const MODES = ['off', 'fast', 'full'] as const;

/** --autotune: for this program and the workers that it starts. */
export const autotuneOption = () =>
  new Option(
    '--autotune <mode>',
    'time the kernels of every convolution on this adapter first: a few of them, or all; the run keeps its choice',
  )
    .choices(MODES)
    .default(undefined, 'MTUNET_AUTOTUNE, else fast on a GPU and off on a software adapter');

export const noAutotuneOption = () => new Option('--no-autotune', 'the same as --autotune off');

/** @param mode false: --no-autotune */
export function applyAutotune(mode: string | false | undefined): void {
  if (mode !== undefined) process.env.MTUNET_AUTOTUNE = mode || 'off';
}

export function wantedMode({ software }: Pick<Gpu['description'], 'software'>): (typeof MODES)[number] {
  const text = process.env.MTUNET_AUTOTUNE || (software ? 'off' : 'fast');
  const mode = MODES.find((known) => known === text);
  if (!mode) throw new UsageError(`MTUNET_AUTOTUNE=${text} is no way to tune; the ways are ${MODES.join(', ')}.`);
  return mode;
}

const FILE = 'kernels.json';

const choicesSchema = z.strictObject({
  adapter: z.string(),
  driver: z.string(),
  package: z.string(),
  autotune: z.enum(MODES),
  /** Kernel by layer class. */
  kernels: z.record(z.string(), z.string()),
});

/** The kernels of a run that is evaluated or gone on with; the fixed rule where it has kept none. */
export function pinKernels(gpu: Gpu, folder: RunFolder): void {
  gpu.choices.pin(existsSync(folder.file(FILE)) ? readChoices(folder).kernels : {});
}

/** Before the first step of a run: its own kernels, else what MTUNET_AUTOTUNE asks for. */
export async function chooseKernels(gpu: Gpu, folder: RunFolder, classes: number): Promise<void> {
  const mode = wantedMode(gpu.description);
  pinKernels(gpu, folder);
  if (mode === 'off' || existsSync(folder.file(FILE)) || folder.hasCheckpoint) return;
  const kernels = await tuneAndStore(gpu, folder.config, classes, mode);
  gpu.choices.pin(kernels);
  writeChoices(gpu, folder, mode, kernels);
}

/** The fastest kernel of every convolution of this training, by layer class; what was timed is kept in the cache folder for other runs. */
export async function tuneAndStore(
  gpu: Gpu,
  config: TrainConfig,
  classes: number,
  mode: TuneMode,
): Promise<Record<string, string>> {
  note(`autotune: ${mode}; timing the kernels of every convolution`);
  const started = performance.now();
  let tried = 0;
  const kernels = await autotune(gpu, config, classes, {
    mode,
    version: `mtunet ${packageVersion}`,
    cache: new CacheFile(join(cacheFolder(), 'autotune.json')),
    onTuned(name, { kernel, wrong }) {
      tried++;
      if (wrong.length > 0)
        note(
          `autotune: ${name}: ${wrong.join(', ')} computed something else than plain on this adapter, or nothing; ${kernel} is used.`,
        );
    },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  note(`autotune: ${Object.keys(kernels).length} layers, ${tried} of them timed now, in ${seconds} s`);
  return kernels;
}

/** With every checkpoint: the kernels that were used, if the run does not have them yet. */
export function keepKernels(gpu: Gpu, folder: RunFolder): void {
  const { used } = gpu.choices;
  if (!existsSync(folder.file(FILE)) && Object.keys(used).length > 0) writeChoices(gpu, folder, 'off', used);
}

function writeChoices(
  { description }: Gpu,
  folder: RunFolder,
  mode: TuneMode | 'off',
  kernels: Record<string, string>,
) {
  const { name: adapter, driver } = description;
  folder.writeJson(FILE, { adapter, driver, package: `mtunet ${packageVersion}`, autotune: mode, kernels });
}

function readChoices(folder: RunFolder): z.infer<typeof choicesSchema> {
  const parsed = choicesSchema.safeParse(folder.readJson(FILE));
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UsageError(
    `${folder.file(FILE)} is damaged (${path.join('.')}: ${message}); restore it from a copy, or remove it to go on with the fixed rule.`,
  );
}

const tunedSchema = z.strictObject({
  kernel: z.string(),
  milliseconds: z.record(z.string(), z.number()),
  mode: z.enum(['fast', 'full']),
  wrong: z.array(z.string()),
});

/** The file is read again before each write: other programs tune too. */
export class CacheFile implements TuneCache {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get(key: string): Tuned | undefined {
    return this.read()[key];
  }

  set(key: string, tuned: Tuned): void {
    const all = { ...this.read(), [key]: tuned };
    const sorted = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = sorted.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    writeWhole(this.path, `{\n${lines.join(',\n')}\n}\n`);
  }

  /** A file that cannot be read is a cache without entries. */
  private read(): Record<string, Tuned> {
    try {
      return z.record(z.string(), tunedSchema).parse(JSON.parse(readFileSync(this.path, 'utf8')));
    } catch {
      return {};
    }
  }
}
