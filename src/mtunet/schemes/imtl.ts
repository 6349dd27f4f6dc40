/**
 * IMTL (Liu et al. 2021). IMTL-G is the combination whose projections on all unit gradients u_t are equal,
 *
 *     d = sum_t a_t g_t,  d . u_1 = ... = d . u_T,  sum_t a_t = 1.
 *
 * With b_t = a_t |g_t| and C_ij = u_i . u_j the condition is C b = const, so b = C^-1 1 up to a factor; for two tasks always a_t ~ 1 / |g_t|.
 * a_t may be negative for T > 2. Parallel gradients make C singular; equal b then meet the condition if anything does, and so does a gradient of 0, which
 * gets all the weight: nothing moves.
 *
 * The whole method, as its authors' code has it, first brings the losses to one scale, e^s L - s with a learnt s a task (IMTL-L, resting at
 * e^s = 1 / L), and then combines the gradients of the scaled losses.
 */
import {
  exp,
  type Gpu,
  type Initial,
  multiply,
  type Scalar,
  scale,
  stateTensor,
  subtract,
} from '../../engine/index.ts';
import { GradientScheme } from './gradient-scheme.ts';
import { type Gram, type Solver, solve } from './gram.ts';
import { type PerTask, perTask, type TaskLosses, type TaskValues } from './scheme.ts';

export function imtlCoefficients(gram: Gram): number[] {
  const norms = gram.map((row, t) => Math.sqrt(row[t]));
  const still = norms.indexOf(0);
  if (still >= 0) return norms.map((_, t) => (t === still ? 1 : 0));
  const cosines = gram.map((row, i) => row.map((value, j) => value / norms[i] / norms[j]));
  const ones = norms.map(() => 1);
  const balanced = (gram.length > 2 && solve(cosines, ones)) || ones;
  const raw = balanced.map((b, t) => b / norms[t]);
  const total = raw.reduce((sum, a) => sum + a);
  return raw.map((a) => a / total);
}

export const imtlSolver: Solver = imtlCoefficients;

/** IMTL-L before IMTL-G. sigma stands for e^(-s / 2), so that the scale of a loss is 1 / sigma^2 as elsewhere. */
export class ImpartialScheme extends GradientScheme {
  private readonly numbers: PerTask<Scalar>;

  constructor(gpu: Gpu) {
    super(imtlSolver);
    this.numbers = perTask(() => stateTensor(gpu, '', [], 'log weight', true));
    this.initialise(0);
  }

  override members() {
    return { log_weight_class: this.numbers.diagnosis, log_weight_image: this.numbers.saliency };
  }

  protected override initials(): Record<string, Initial> {
    const zero: Initial = { kind: 'constant', value: 0 };
    return { log_weight_class: zero, log_weight_image: zero };
  }

  override sigmas(): PerTask<Scalar> {
    return perTask((task) => exp(scale(this.numbers[task], -0.5)));
  }

  protected override scaled(losses: TaskLosses): TaskLosses {
    return perTask((task) => {
      const [loss, s] = [losses[task], this.numbers[task]];
      return loss && subtract(multiply(loss, exp(s)), s);
    });
  }

  protected override scales(sigmas: TaskValues): TaskValues {
    return perTask((task) => 1 / sigmas[task]! ** 2);
  }
}
