/** Two ways to do the same work, in turns in one process: times, and their ratio round by round. */
import { cpuOf, median } from './figure.ts';

interface Times {
  readonly ms: number[];
  readonly cpu: number[];
}

export interface Way {
  readonly name: string;
  run(): Promise<unknown>;
}

const three = (values: readonly number[], digits: number) =>
  [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits)).join(' - ');

/** Lines with the times of both ways (least, median, most) and how many times longer the first takes than the second. */
export async function compareInTurns(ways: readonly [Way, Way], rounds: number): Promise<string[]> {
  for (const way of [...ways, ...ways]) await way.run(); // compiles, and warms up
  const taken: Times[] = ways.map(() => ({ ms: [], cpu: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of ways.entries()) {
      const { ms, cpu } = await cpuOf(() => way.run());
      taken[i].ms.push(ms);
      taken[i].cpu.push(cpu);
    }
  }
  const times = ({ ms, cpu }: Times) => `${three(ms, 0)} ms by the clock, ${three(cpu, 0)} ms of the processor`;
  const ratio = (of: keyof Times) =>
    three(
      taken[0][of].map((value, i) => value / taken[1][of][i]),
      2,
    );
  return [
    ...ways.map(({ name }, i) => `${name}: ${times(taken[i])}`),
    `${ways[0].name} / ${ways[1].name}, round by round: ${ratio('ms')} by the clock, ${ratio('cpu')} of the processor`,
  ];
}
