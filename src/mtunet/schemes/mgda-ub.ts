/**
 * MGDA-UB (Sener & Koltun 2018): MGDA on the gradients in the shared representation z instead of the shared parameters,
 *
 *     min_w |sum_t w_t grad_z L_t|^2,  w_t >= 0,  sum_t w_t = 1,        then  sum_t w_t grad_z L_t  goes back through the encoder once.
 *
 * An upper bound of MGDA's objective that costs one backward pass through the shared part whatever the number of tasks. z is the set of features from
 * which the heads predict. The weights of two tasks are computed on the device (their formula is in mgda.ts), so no step waits for the host.
 * A head's own parameters get their task's gradient, not weighted.
 */
import {
  add,
  backward,
  divide,
  type Gpu,
  gradients,
  maximum,
  minimum,
  multiply,
  parametersOf,
  type Scalar,
  scale,
  shift,
  sqrt,
  subtract,
  sum,
  type Tensor,
  upload,
  withoutGradient,
} from '../../engine/index.ts';
import { innerProduct } from './gradient-scheme.ts';
import type { Normalization } from './mgda.ts';
import { perTask, presentTasks, Scheme, type StepContext, type StepOutcome, sumOf, TASKS } from './scheme.ts';

export class RepresentationScheme extends Scheme {
  private readonly normalization: Normalization;

  constructor(normalization: Normalization) {
    super();
    this.normalization = normalization;
  }

  async step({ gpu, forward, parameters, optimizer, run }: StepContext): Promise<StepOutcome> {
    const { loss, losses, weights } = await run(() => {
      const pass = forward();
      const monitored = this.call(pass.losses);
      const present = presentTasks(pass.losses);
      let weights: readonly (Scalar | number)[] = [1];
      if (present.length === 1) backward(monitored);
      else
        weights = this.descend(
          gpu,
          pass.representation ?? [],
          present.map((task) => task.loss),
          parameters.map(({ tensor }) => tensor),
        );
      optimizer.step({ guard: monitored });
      return { loss: monitored, losses: pass.losses, weights };
    });
    const tasks = TASKS.filter((task) => losses[task] !== null);
    return {
      loss,
      losses,
      sigmas: { saliency: null, diagnosis: null },
      weights: perTask((task) => weights[tasks.indexOf(task)] ?? null),
    };
  }

  /** Sets the gradients of all parameters; returns the weights. */
  private descend(gpu: Gpu, z: readonly Tensor[], losses: readonly Scalar[], parameters: readonly Tensor[]): Scalar[] {
    if (z.length === 0)
      throw new Error(
        'mgda-ub: this network does not tell which features its heads share; use --scheme mgda, which needs only its parameters.',
      );
    const beneath = new Set(z.flatMap((features) => [...parametersOf(features)]));
    const heads = parameters.filter((tensor) => !beneath.has(tensor));
    const found = losses.map((loss) => gradients(loss, [...z, ...heads]));
    const atZ = found.map((all) => all.slice(0, z.length));
    // Constants of the surrogate below: nothing flows back through them.
    const { weights, pulls } = withoutGradient(gpu, () => {
      const weights = this.weigh(gpu, atZ, losses);
      const pulls = z.map((_, k) => {
        const parts = atZ.flatMap((own, t) => (own[k] ? [multiply(own[k], weights[t]) as Tensor] : []));
        return parts.length > 0 ? parts.reduce((total, part) => add(total, part) as Tensor) : null;
      });
      return { weights, pulls };
    });
    // The scalar whose gradient in z is sum_t w_t grad_z L_t.
    const terms = z.flatMap((features, k) => (pulls[k] ? [sum(multiply(features, pulls[k])) as Scalar] : []));
    backward(sumOf(terms));
    heads.forEach((tensor, h) => {
      const own = found.map((all) => all[z.length + h]).filter((gradient) => gradient !== null);
      if (own.length > 0) tensor.gradient = own.reduce((total, gradient) => add(total, gradient) as Tensor);
    });
    return weights;
  }

  /** Two tasks: w_1 = clip((b - ab) / (a - 2 ab + b), 0, 1) with a = |g_1|^2, b = |g_2|^2, ab = g_1 . g_2. */
  private weigh(gpu: Gpu, atZ: readonly (readonly (Tensor | null)[])[], losses: readonly Scalar[]): Scalar[] {
    if (losses.length !== 2)
      throw new Error(`mgda-ub: the weights of ${losses.length} tasks have no closed form here; use --scheme mgda.`);
    const number = (value: number) => upload(gpu, '', [], () => [value], 'bound');
    const product = (i: number, j: number) => {
      const parts = atZ[i].flatMap((own, k) => {
        const other = atZ[j][k];
        return own && other ? [innerProduct(own, other)] : [];
      });
      return parts.length > 0 ? sumOf(parts) : number(0);
    };
    let [a, ab, b] = [product(0, 0), product(0, 1), product(1, 1)];
    if (this.normalization !== 'none') {
      const [first, second] = [this.normalizer(a, losses[0]), this.normalizer(b, losses[1])];
      [a, ab, b] = [
        divide(a, multiply(first, first)),
        divide(ab, multiply(first, second)),
        divide(b, multiply(second, second)),
      ];
    }
    // Equal gradients: 0 / 0, and any weights do.
    const denominator = maximum(add(subtract(a, scale(ab, 2)), b), number(1e-30));
    const first = minimum(maximum(divide(subtract(b, ab), denominator), number(0)), number(1));
    return [first, shift(scale(first, -1), 1)];
  }

  /** n_t of mgda.ts, above 0. */
  private normalizer(square: Scalar, loss: Scalar): Scalar {
    const norm = sqrt(square);
    const n = { none: loss, loss, l2: norm, 'loss+': multiply(loss, norm) }[this.normalization];
    return maximum(
      n,
      upload(loss.gpu, '', [], () => [1e-12], 'bound'),
    );
  }
}
