/**
 * Schemes that combine the gradients of the tasks: one forward pass, one backward pass a task over the same activations, the inner products to
 * the host, a small problem there in float64, and the parameters move along the combination.
 *
 *     shared parameters         d = sum_t c_t grad L_t
 *     a head's own parameters   grad L_t, not weighted (Sener & Koltun 2018, Algorithm 2), so that a task with c_t = 0 still trains its head
 *
 * The activations exist once. What exists T times are the gradients of the parameters, from the backward passes to the combination.
 */
import {
  add,
  type Carried,
  carry,
  gradients,
  multiply,
  type Scalar,
  sum,
  type Tensor,
  upload,
} from '../../engine/index.ts';
import type { Gram, Solver } from './gram.ts';
import {
  perTask,
  presentTasks,
  Scheme,
  type StepContext,
  type StepOutcome,
  TASKS,
  type TaskLosses,
  type TaskValues,
} from './scheme.ts';

export class GradientScheme extends Scheme {
  private readonly solver: Solver;

  constructor(solver: Solver) {
    super();
    this.solver = solver;
  }

  /** The losses whose gradients are combined, where they are not the raw ones. */
  protected scaled(losses: TaskLosses): TaskLosses {
    return losses;
  }

  /** The factor that scaled() put on each raw loss, read before the step. */
  protected scales(_sigmas: TaskValues): TaskValues {
    return { saliency: 1, diagnosis: 1 };
  }

  async step({ gpu, forward, parameters, optimizer, step }: StepContext): Promise<StepOutcome> {
    let carried: (Carried | null)[][] = [];
    try {
      const seen = await gpu.step(() => {
        const sigmas = this.sigmas();
        const { losses } = forward();
        const loss = this.call(losses);
        const targets = parameters.map(({ tensor }) => tensor);
        const present = presentTasks(this.scaled(losses));
        const found = present.map((task) => gradients(task.loss, targets));
        const products = innerProducts(found);
        carried = found.map((perParameter) => perParameter.map((gradient) => gradient && carry(gradient)));
        return { loss, losses, sigmas, products, scaled: present.map((task) => task.loss) };
      });
      const tasks = TASKS.filter((task) => seen.losses[task] !== null);
      const gram = gramFrom(seen.products, tasks.length);
      const coefficients = tasks.length === 1 ? [1] : this.solver(gram, { losses: seen.scaled, step });
      const finite = [seen.loss, ...gram.flat(), ...coefficients].every(Number.isFinite);
      if (finite) {
        await gpu.step(() => {
          const factors = coefficients.map((c) => upload(gpu, '', [], [c], 'coefficient'));
          parameters.forEach(({ tensor }, p) => {
            const own = carried.flatMap((perParameter, t) =>
              perParameter[p] ? [{ t, carried: perParameter[p] }] : [],
            );
            if (own.length === 0) return;
            const terms = own.map((one) => ({ ...one, gradient: one.carried.open() }));
            tensor.gradient =
              terms.length === 1
                ? terms[0].gradient
                : terms.map(({ t, gradient }) => multiply(gradient, factors[t]) as Tensor).reduce(added);
          });
          optimizer.step();
          return null;
        });
      }
      const scales = this.scales(seen.sigmas);
      const weight = new Map(tasks.map((task, t) => [task, coefficients[t] * (scales[task] ?? 1)]));
      return {
        // A gradient that overflowed is a broken step, like a broken loss.
        loss: finite ? seen.loss : Number.NaN,
        losses: seen.losses,
        sigmas: seen.sigmas,
        weights: perTask((task) => weight.get(task) ?? null),
      };
    } finally {
      for (const one of carried.flat()) one?.release();
    }
  }
}

const added = (total: Tensor, term: Tensor): Tensor => {
  const sum = add(total, term);
  total.releaseIfAlive();
  term.releaseIfAlive();
  return sum;
};

/** Inside a step: g_i . g_j for i <= j, one scalar for each parameter that both tasks reach; added up on the host in float64. */
function innerProducts(found: readonly (readonly (Tensor | null)[])[]): Scalar[][] {
  return pairs(found.length).map(([i, j]) =>
    found[i].flatMap((gradient, p) => {
      const other = found[j][p];
      const shared = found.filter((perParameter) => perParameter[p]).length > 1;
      return gradient && other && shared ? [innerProduct(gradient, other)] : [];
    }),
  );
}

/** Inside a step: the sum of the products of corresponding elements. */
export function innerProduct(a: Tensor, b: Tensor): Scalar {
  const products = multiply(a, b) as Tensor;
  const total = sum(products) as Scalar;
  products.releaseIfAlive();
  return total;
}

const pairs = (tasks: number) =>
  Array.from({ length: tasks }, (_, i) => i).flatMap((i) =>
    Array.from({ length: tasks - i }, (_, k) => [i, i + k] as const),
  );

function gramFrom(products: readonly (readonly number[])[], tasks: number): Gram {
  const gram = Array.from({ length: tasks }, () => Array<number>(tasks).fill(0));
  pairs(tasks).forEach(([i, j], k) => {
    gram[i][j] = gram[j][i] = products[k].reduce((total, value) => total + value, 0);
  });
  return gram;
}
