/**
 * experiments/<name>/: one claim of the paper as data, so that a new one needs no code.
 *
 *   config.yaml     title, rows and what is shown (experimentSchema)
 *   expected.json   the paper's numbers and claims with their source, or predictions with the day they were written (expectedSchema)
 *   README.md       command, seed, device, time, tolerance
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type ConfigOverrides, resolveConfig, type TrainConfig } from '../mtunet/config.ts';
import { UsageError } from './failure.ts';

/** Part of a training configuration; checked as a whole once it is merged into a preset. */
const overrides = z.record(z.string(), z.unknown());

const experimentSchema = z.strictObject({
  title: z.string().min(1),
  /** What to look at on the page beside the table: curves of losses, sigmas and rates; films with their maps. */
  show: z.array(z.enum(['curves', 'overlays'])).default([]),
  /** Measures that the claim is about, by their keys in report/metrics.ts. The page shows all of them. */
  measures: z.array(z.string().min(1)).min(1),
  /** For every row. */
  config: overrides.default({}),
  /** For every row, under one preset. */
  presets: z.record(z.string(), overrides).default({}),
  rows: z.array(z.strictObject({ name: z.string().min(1), config: overrides.default({}) })).min(1),
});

const pair = z.tuple([z.number(), z.number().nullable()]);

const claimSchema = z.strictObject({
  text: z.string().min(1),
  source: z.string().min(1),
  /** `better` beats each of `than` by every measure; or `row` shows an event in most trainings, or in none. */
  kind: z.enum(['order', 'present', 'absent']),
  better: z.string().optional(),
  than: z.array(z.string()).optional(),
  row: z.string().optional(),
  measures: z.array(z.string()).min(1),
});

const expectedSchema = z.strictObject({
  source: z.string().min(1),
  /** Day on which predictions were written, before the runs; left out for what the paper says. */
  written: z.string().optional(),
  /** values[row][measure] = [median, standard deviation]. */
  values: z.record(z.string(), z.record(z.string(), pair)).default({}),
  claims: z.array(claimSchema).default([]),
  notes: z.array(z.string()).default([]),
});

export type Expected = z.infer<typeof expectedSchema>;
export type ExperimentConfig = z.infer<typeof experimentSchema>;

export interface Experiment {
  readonly name: string;
  readonly path: string;
  readonly config: ExperimentConfig;
  readonly expected: Expected;
}

const shelf = fileURLToPath(new URL('../../experiments', import.meta.url));

/** Names of the experiments that come with the program. */
export function experimentNames(): string[] {
  if (!existsSync(shelf)) return [];
  const folders = (under: string): string[] =>
    readdirSync(join(shelf, under), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => {
        const path = under ? `${under}/${name}` : name;
        return existsSync(join(shelf, path, 'config.yaml')) ? [path] : folders(path);
      });
  return folders('').sort();
}

/** By name, or by the path of a folder of one's own. */
export function readExperiment(name: string): Experiment {
  const path = [join(shelf, name), resolve(name)].find((one) => existsSync(join(one, 'config.yaml')));
  if (!path)
    throw new UsageError(
      `experiment "${name}" is not known; there are ${experimentNames().join(', ') || 'none here'}, or give a folder with a config.yaml.`,
    );
  const config = checked(experimentSchema, join(path, 'config.yaml'));
  const expected = checked(expectedSchema, join(path, 'expected.json'));
  checkNames(path, config, expected);
  return { name: path.startsWith(`${shelf}/`) ? path.slice(shelf.length + 1) : basename(path), path, config, expected };
}

/** Every row's whole configuration. */
export function rowConfigs(
  { config }: Experiment,
  preset: string,
  options: ConfigOverrides,
): { name: string; config: TrainConfig }[] {
  return config.rows.map((row) => ({
    name: row.name,
    config: resolveConfig(preset, config.config, config.presets[preset] ?? {}, row.config, options),
  }));
}

function checked<T>(schema: z.ZodType<T>, path: string): T {
  let value: unknown;
  try {
    value = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message.split('\n')[0]}.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new UsageError(`${path}: ${problems.join('; ')}.`);
}

function checkNames(path: string, { rows }: ExperimentConfig, { values, claims }: Expected): void {
  const known = rows.map(({ name }) => name);
  const named = [
    ...Object.keys(values),
    ...claims.flatMap(({ better, than = [], row }) => [better, ...than, row].filter((one) => one !== undefined)),
  ];
  const unknown = named.find((name) => !known.includes(name));
  if (unknown)
    throw new UsageError(`${path}: expected.json speaks of "${unknown}", but the rows are ${known.join(', ')}.`);
}
