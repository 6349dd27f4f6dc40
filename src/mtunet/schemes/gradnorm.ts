/**
 * GradNorm (Chen et al. 2018): weights that keep the tasks' gradients at the last shared layer W in proportion to how far each task lags.
 *
 *     G_t = w_t |grad_W L_t|        lag_t = (L_t / L_t(0)) / mean        target_t = mean(G) lag_t^asymmetry, a constant
 *     L_grad = sum_t |G_t - target_t|,   d L_grad / d w_t = sign(G_t - target_t) |grad_W L_t|
 *     w <- w - rate * slope, kept above 0, then scaled to sum_t w_t = T
 *
 * The network descends sum_t w_t L_t with the weights from before the step. W is the last weight, in state_dict order, that every loss depends on.
 */
import { backward, gradients, parametersOf, type Scalar, type Tensor } from '../../engine/index.ts';
import { innerProduct } from './gradient-scheme.ts';
import {
  type PerTask,
  presentTasks,
  Scheme,
  type SchemeMemory,
  type StepContext,
  type StepOutcome,
  type Task,
  type TaskValues,
} from './scheme.ts';
import { weightedSum } from './weighted.ts';

export interface GradNormOptions {
  /** alpha: how strongly a lagging task is favoured; the paper uses 0.12 to 1.5. */
  readonly asymmetry: number;
  /** Learning rate of the weights. */
  readonly rate: number;
}

const SMALLEST = 1e-3;

/** L_grad and its slope in the weights, given |grad_W L_t|, w_t and L_t / L_t(0). */
export function gradNorm(
  norms: readonly number[],
  weights: readonly number[],
  lossRatios: readonly number[],
  asymmetry: number,
): { readonly scaled: number[]; readonly target: number[]; readonly value: number; readonly slope: number[] } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scaled = norms.map((norm, t) => weights[t] * norm);
  const [level, ratio] = [mean(scaled), mean(lossRatios)];
  const target = lossRatios.map((own) => level * (own / ratio) ** asymmetry);
  return {
    scaled,
    target,
    value: scaled.reduce((sum, G, t) => sum + Math.abs(G - target[t]), 0),
    slope: norms.map((norm, t) => Math.sign(scaled[t] - target[t]) * norm),
  };
}

export class GradNormScheme extends Scheme {
  private readonly options: GradNormOptions;
  private current: PerTask<number> = { saliency: 1, diagnosis: 1 };
  /** L_t(0): the losses of the first step. */
  private first: TaskValues | null = null;

  constructor(options: GradNormOptions) {
    super();
    this.options = options;
  }

  async step({ forward, parameters, optimizer, run }: StepContext): Promise<StepOutcome> {
    const weights = this.current;
    const { loss, losses, squares } = await run(() => {
      const pass = forward();
      const monitored = this.call(pass.losses);
      const present = presentTasks(pass.losses);
      const layer = lastShared(
        parameters.map(({ tensor }) => tensor),
        present.map((task) => task.loss),
      );
      const squares = present.map(({ loss }) => {
        const [gradient] = gradients(loss, [layer]);
        return innerProduct(gradient!, gradient!);
      });
      const objective = weightedSum(pass.losses, () => this.current);
      backward(objective);
      optimizer.step({ guard: objective });
      return { loss: monitored, losses: pass.losses, squares };
    });
    const present = (Object.keys(losses) as Task[]).filter((task) => losses[task] !== null);
    if (Number.isFinite(loss)) this.balance(present, losses, squares.map(Math.sqrt));
    return { loss, losses, sigmas: { saliency: null, diagnosis: null }, weights };
  }

  override get memory(): SchemeMemory {
    return { weights: this.current, first: this.first };
  }

  override restore(memory: SchemeMemory): void {
    this.current = (memory?.weights as PerTask<number>) ?? { saliency: 1, diagnosis: 1 };
    this.first = (memory?.first as TaskValues) ?? null;
  }

  private balance(tasks: readonly Task[], losses: TaskValues, norms: readonly number[]): void {
    this.first ??= losses;
    const ratios = tasks.map((task) => losses[task]! / this.first![task]!);
    const weights = tasks.map((task) => this.current[task]);
    const { slope } = gradNorm(norms, weights, ratios, this.options.asymmetry);
    if (!slope.every(Number.isFinite)) return; // L_t(0) was 0, or a gradient overflowed
    const moved = weights.map((w, t) => Math.max(SMALLEST, w - this.options.rate * slope[t]));
    const total = moved.reduce((sum, w) => sum + w, 0);
    const scaled = tasks.map((task, t) => [task, (moved[t] * tasks.length) / total] as const);
    this.current = { ...this.current, ...Object.fromEntries(scaled) };
  }
}

function lastShared(parameters: readonly Tensor[], losses: readonly Scalar[]): Tensor {
  const reached = losses.map((loss) => parametersOf(loss));
  const layer = parameters.findLast(
    (tensor) => tensor.shape.length > 1 && reached.every((tensors) => tensors.has(tensor)),
  );
  if (!layer)
    throw new Error(
      'gradnorm: no layer is shared by all tasks, so there are no gradients to balance; use another scheme.',
    );
  return layer;
}
