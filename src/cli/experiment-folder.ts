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
import { z } from 'zod';
import { type ConfigOverrides, resolveConfig, type TrainConfig } from '../mtunet/config.ts';
import { EVENTS } from '../report/verdicts/events.ts';
import { MEASURES } from '../report/verdicts/measures.ts';
import { UsageError } from './failure.ts';
import { readYaml } from './yaml.ts';

/** Part of a training configuration; checked as a whole once it is merged into a preset. */
const overrides = z.record(z.string(), z.unknown());

const experimentSchema = z.strictObject({
  title: z.string().min(1),
  /** Another experiment whose rows and runs this one looks at; then it has none of its own. */
  from: z.string().optional(),
  /** What to look at on the page beside the table: curves of losses, sigmas and rates; films with their maps. */
  show: z.array(z.enum(['curves', 'overlays'])).default([]),
  /** Measures that the claim is about, by their keys in report/metrics.ts. The page shows all of them. */
  measures: z.array(z.string().min(1)).min(1),
  /** For every row. */
  config: overrides.default({}),
  /** For every row, under one preset. */
  presets: z.record(z.string(), overrides).default({}),
  rows: z.array(z.strictObject({ name: z.string().min(1), config: overrides.default({}) })).default([]),
});

const pair = z.tuple([z.number(), z.number().nullable()]);

const claimSchema = z.strictObject({
  text: z.string().min(1),
  source: z.string().min(1),
  /** report/verdicts/input.ts says what each means. */
  kind: z.enum(['order', 'higher', 'equal', 'present', 'absent']),
  better: z.string().optional(),
  than: z.array(z.string()).optional(),
  row: z.string().optional(),
  /** Only for equal: the largest difference that counts as none. */
  within: z.number().positive().optional(),
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
  /** Of the experiment whose runs are looked at: its own, or that of `from`. */
  readonly runsOf: string;
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
  const own = path.startsWith(`${shelf}/`) ? path.slice(shelf.length + 1) : basename(path);
  if (config.from === undefined) {
    if (config.rows.length === 0)
      throw new UsageError(`${path}/config.yaml has no rows; give some, or name an experiment in "from".`);
    checkNames(path, config, expected);
    return { name: own, path, config, expected, runsOf: own };
  }
  const source = readExperiment(config.from);
  const whole = { ...config, config: source.config.config, presets: source.config.presets, rows: source.config.rows };
  checkNames(path, whole, expected);
  return { name: own, path, config: whole, expected, runsOf: source.runsOf };
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

const isMeasure = (key: string) => MEASURES.some((one) => one.key === key);

function checked<T>(schema: z.ZodType<T>, path: string): T {
  let value: unknown;
  try {
    value = readYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message.split('\n')[0]}.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new UsageError(`${path}: ${problems.join('; ')}.`);
}

function checkNames(path: string, { rows, measures }: ExperimentConfig, { values, claims }: Expected): void {
  const isEvent = ({ kind }: Expected['claims'][number]) => kind === 'present' || kind === 'absent';
  const strange = claims.flatMap((claim) =>
    claim.measures.filter((key) => !(isEvent(claim) ? Object.hasOwn(EVENTS, key) : isMeasure(key))),
  );
  for (const key of [...strange, ...measures.filter((key) => !isMeasure(key))])
    throw new UsageError(
      `${path} speaks of the measure "${key}", which is not known; there are ${MEASURES.map((one) => one.key).join(', ')}, and for what is present or absent ${Object.keys(EVENTS).join(', ')}.`,
    );

  const known = rows.map(({ name }) => name);
  const named = [
    ...Object.keys(values),
    ...claims.flatMap(({ better, than = [], row }) => [better, ...than, row].filter((one) => one !== undefined)),
  ];
  const unknown = named.find((name) => !known.includes(name));
  if (unknown)
    throw new UsageError(`${path}: expected.json speaks of "${unknown}", but the rows are ${known.join(', ')}.`);
}
