/**
 * A table of runs by scheme: metrics on the test films, and what decides overfitting. Reads run folders, writes results.json and
 * results.md; rows of earlier runs stay in results.json until a run of the same scheme and seed takes their place.
 *
 *     node --conditions=mtunet-source --import ./scripts/typescript.mjs experiments/beyond/schemes/table.ts <folder of runs> <out>
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runsOf } from '../../../src/cli/reproduce.ts';
import { RunFolder } from '../../../src/cli/run-folder.ts';
import { schemeNames } from '../../../src/mtunet/schemes/index.ts';

interface Row {
  readonly scheme: string;
  readonly seed: number;
  readonly bestEpoch: number;
  readonly kld: number;
  readonly pcc: number;
  readonly hs: number;
  readonly accuracy: number;
  readonly auc: number | null;
  /** Mean of the last epoch: w_c / w_s. */
  readonly weightRatio: number | null;
  readonly effectiveSaliencyRate: number | null;
  readonly effectiveClassRate: number | null;
  /** Raw validation loss less raw training loss in the last epoch. */
  readonly saliencyGap: number | null;
  readonly classGap: number | null;
  readonly seconds: number;
  readonly adapter: string;
  readonly commit: string | null;
}

function rowOf(folder: RunFolder): Row {
  const { config, epochs, evaluation, provenance } = folder;
  const last = epochs[epochs.length - 1];
  const { mean } = evaluation.saliency!;
  return {
    scheme: config.scheme.name,
    seed: config.seed,
    bestEpoch: evaluation.epoch,
    ...mean,
    accuracy: evaluation.classification!.accuracy,
    auc: evaluation.classification!.aucHandTill,
    weightRatio: last.weightRatio ?? null,
    effectiveSaliencyRate: last.effectiveSaliencyRate ?? null,
    effectiveClassRate: last.effectiveClassRate ?? null,
    saliencyGap: last.saliencyGap ?? null,
    classGap: last.classGap ?? null,
    seconds: epochs.reduce((total, { seconds }) => total + seconds, 0),
    adapter: provenance.adapter.name,
    commit: provenance.commit,
  };
}

const columns = {
  KLD: 'kld',
  PCC: 'pcc',
  HS: 'hs',
  ACC: 'accuracy',
  AUC: 'auc',
  'w_c / w_s': 'weightRatio',
  'gap L_s': 'saliencyGap',
  'gap L_c': 'classGap',
} as const satisfies Record<string, keyof Row>;

/** Mean over the seeds; both values where there are two, so that nothing is hidden behind a mean of two. */
function cell(rows: readonly Row[], key: (typeof columns)[keyof typeof columns]): string {
  const values = rows.map((row) => row[key]).filter((value) => value !== null);
  if (values.length === 0) return 'n/a';
  const digits = key === 'weightRatio' ? 2 : 3;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return mean.toFixed(digits);
  return `${mean.toFixed(digits)} (${values.map((value) => value.toFixed(digits)).join(', ')})`;
}

const [from, out] = process.argv.slice(2);
if (!from || !out) throw new Error('table: give the folder of the runs and the folder to write to.');
const found = runsOf(from)
  .map((path) => RunFolder.open(path))
  .filter((folder) => folder.isFinished)
  .map(rowOf);
const before: Row[] = existsSync(`${out}/results.json`) ? JSON.parse(readFileSync(`${out}/results.json`, 'utf8')) : [];
const isReplaced = (row: Row) => found.some(({ scheme, seed }) => scheme === row.scheme && seed === row.seed);
const rows = [...before.filter((row) => !isReplaced(row)), ...found];
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const known = schemeNames.filter((name) => rows.some(({ scheme }) => scheme === name));
const body = known.map((name) => {
  const own = rows.filter(({ scheme }) => scheme === name).sort((a, b) => a.seed - b.seed);
  return line([name, own.map(({ seed }) => seed).join(', '), ...Object.values(columns).map((key) => cell(own, key))]);
});
const head = ['scheme', 'seeds', ...Object.keys(columns)];
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/results.json`, `${JSON.stringify(rows, null, 2)}\n`);
writeFileSync(`${out}/results.md`, `${[line(head), line(head.map(() => '---')), ...body].join('\n')}\n`);
console.log(`${out}/results.md: ${rows.length} runs of ${known.length} schemes`);
