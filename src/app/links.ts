/** The links of the vicious circle, read from the rows of run A. */
import type { TaskName } from './live/protocol.ts';
import type { State } from './store.ts';

export interface Links {
  readonly task: TaskName;
  readonly loss: boolean;
  readonly sigma: boolean;
  readonly weight: boolean;
  readonly gap: boolean;
  readonly closed: boolean;
}

type Known = Pick<State, 'epochs' | 'rows'>;

const SPAN = 10;

/** Which links of the circle hold for a task in run A: the last ten epochs against those before. */
function linksOf({ epochs, rows }: Known, task: TaskName): Links {
  const list = epochs[0];
  const [now, before] = [list.at(-1), list.at(-1 - Math.min(SPAN, list.length - 1))];
  const [row, rowBefore] = [rows[0].at(-1), rows[0].findLast(({ step }) => step <= (before?.step ?? 0))];
  if (!now || !before || now === before || !row || !rowBefore) {
    return { task, loss: false, sigma: false, weight: false, gap: false, closed: false };
  }
  const [train, was] = [now.train[task] ?? 0, before.train[task] ?? 0];
  const loss = train < was;
  const sigma = (row.sigma[task] ?? 1) < (rowBefore.sigma[task] ?? 1);
  const weight = sigma && (row.weight[task] ?? 1) > 1;
  const best = Math.min(...list.map(({ valid }) => valid[task] ?? Number.POSITIVE_INFINITY));
  const gap = (now.valid[task] ?? 0) > Math.max(best * 1.15, train * 1.5);
  return { task, loss, sigma, weight, gap, closed: loss && sigma && weight && gap };
}

/** What was known at the step that is shown. */
export function untilShown({ epochs, rows, shown }: Pick<State, 'epochs' | 'rows' | 'shown'>): Known {
  const until = <T extends { step: number }>(list: readonly T[]) =>
    shown === null ? [...list] : list.filter(({ step }) => step <= shown);
  return { epochs: [until(epochs[0]), until(epochs[1])], rows: [until(rows[0]), until(rows[1])] };
}

/** Of the task for which more of the circle holds. */
export function links(known: Known): Links {
  const count = ({ loss, sigma, weight, gap }: Links) => [loss, sigma, weight, gap].filter(Boolean).length;
  const [saliency, diagnosis] = [linksOf(known, 'saliency'), linksOf(known, 'diagnosis')];
  return count(diagnosis) > count(saliency) ? diagnosis : saliency;
}
