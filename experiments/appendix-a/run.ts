/** Appendix A: its statements, the way of sigma, and the closed loop. Writes results.json and results.md. See README.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Gpu, openGpu } from '../../src/engine/index.ts';
import { closedLoops, type LoopResult } from './closed-loop.ts';
import { againstRecording, lagUnderDecay, settlingSteps } from './dynamics.ts';
import { type StatementResult, statements } from './statements.ts';

export interface Context {
  readonly gpu: Gpu;
  /** Folder of the results. */
  readonly out: string;
  readonly tell: (line: string) => void;
}

/** Returns whether the statements, which are proven, and the paths, which are recorded, are as expected. The closed loop is a finding, not a test. */
export async function run({ gpu, out, tell }: Context): Promise<boolean> {
  const expected = JSON.parse(readFileSync(new URL('./expected.json', import.meta.url), 'utf8'));
  const proven = statements();
  for (const { statement, measured, holds } of proven) tell(`${holds ? 'holds ' : 'FAILS '} ${statement}: ${measured}`);
  const recorded = againstRecording();
  const paths = Object.entries(recorded).map(([name, { whole, first100 }]) => {
    const whollyRecorded = !name.startsWith('rmsprop');
    const holds = (whollyRecorded ? whole : first100) <= expected.dynamics.relative;
    tell(
      `${holds ? 'holds ' : 'FAILS '} path of sigma, ${name}: off by ${whole.toExponential(1)}, by ${first100.toExponential(1)} in 100 steps`,
    );
    return holds;
  });
  const known = {
    adapter: gpu.description.name,
    statements: proven,
    recorded,
    settling: settlingSteps(),
    lag: lagUnderDecay(),
  };
  mkdirSync(out, { recursive: true });
  const closedLoop: LoopResult[] = [];
  await closedLoops(gpu, (result) => {
    closedLoop.push(result);
    const { scheme, optimizer, seed, trainLast, validLast } = result;
    tell(
      `${scheme} ${optimizer} seed ${seed}: raw class loss ${trainLast.toFixed(3)} in training, ${validLast.toFixed(3)} in validation`,
    );
    const results: Results = { ...known, closedLoop };
    writeFileSync(`${out}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
    writeFileSync(`${out}/results.md`, markdown(results));
  });
  return proven.every(({ holds }) => holds) && paths.every((holds) => holds);
}

interface Results {
  readonly adapter: string;
  readonly statements: readonly StatementResult[];
  readonly recorded: ReturnType<typeof againstRecording>;
  readonly settling: ReturnType<typeof settlingSteps>;
  readonly lag: ReturnType<typeof lagUnderDecay>;
  readonly closedLoop: readonly LoopResult[];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function markdown({ adapter, statements, recorded, settling, lag, closedLoop }: Results): string {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  return [
    '# Results of appendix-a',
    `Adapter of the closed loop: ${adapter}.`,
    '## Statements',
    table(
      ['statement', 'measured', 'holds'],
      statements.map((one) => [one.statement, one.measured, one.holds ? 'yes' : 'NO']),
    ),
    '## Recorded paths of sigma',
    table(
      ['optimizer, parameter', 'cases', 'largest error', 'in the first 100 steps'],
      Object.entries(recorded).map(([name, { cases, whole, first100 }]) => [
        name,
        String(cases),
        whole.toExponential(1),
        first100.toExponential(1),
      ]),
    ),
    '## Steps until sigma stays within 1 % of its rest, from 1',
    table(
      ['L', 'rest', 'optimizer', 'learnt', 'rate', 'steps', 'most an epoch of 127 steps'],
      settling.map((one) => [
        String(one.L),
        one.rest.toFixed(4),
        one.optimizer,
        one.parameter,
        one.learningRate.toExponential(0),
        one.steps === null ? 'more than 200,000' : one.steps.toLocaleString('en'),
        percent(one.mostAnEpoch),
      ]),
    ),
    '## A loss that decays, Adam at 1e-4 on ln sigma, at rest in the beginning, after 20,000 steps',
    table(
      ['decay a step', 'loss', 'sigma', 'rest', 'ln(sigma / rest)'],
      lag.map((one) => [
        one.decay.toExponential(0),
        one.finalLoss.toPrecision(3),
        one.sigma.toFixed(4),
        one.rest.toFixed(4),
        one.lag.toFixed(4),
      ]),
    ),
    '## The closed loop: raw class losses (nats)',
    table(
      [
        'optimizer',
        'scheme',
        'seed',
        'train first',
        'train last',
        'valid lowest (epoch)',
        'valid last',
        'sigma_c',
        'ln(sigma_c / rest)',
        'r_e / r',
        'w_c / w_s',
        'circle',
      ],
      closedLoop.map((one) => [
        one.optimizer,
        one.scheme,
        String(one.seed),
        one.trainFirst.toFixed(3),
        one.trainLast.toFixed(3),
        `${one.validLowest.toFixed(3)} (${one.validLowestEpoch})`,
        one.validLast.toFixed(3),
        one.classSigma.toFixed(3),
        one.classLag === null ? '' : one.classLag.toFixed(3),
        one.rateRatio.toFixed(2),
        one.weightRatio.toFixed(2),
        one.circle ? 'yes' : 'no',
      ]),
    ),
    '',
  ].join('\n\n');
}

if (process.argv[1]?.endsWith('appendix-a/run.ts')) {
  using gpu = await openGpu();
  const asExpected = await run({ gpu, out: process.argv[2] ?? 'runs/appendix-a', tell: (line) => console.log(line) });
  if (!asExpected) process.exitCode = 1;
}
