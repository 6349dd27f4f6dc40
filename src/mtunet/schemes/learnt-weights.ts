/**
 * Other schemes whose weights are learnt with the network, one number s a task, beginning at 0.
 *
 *     Kendall, Gal & Cipolla 2018, s = ln sigma^2     regression       e^-s L / 2 + s / 2         rests at sigma^2 = L, weight 1 / (2 L)
 *                                                     classification   e^-s L     + s / 2         rests at sigma^2 = 2 L, weight 1 / (2 L)
 *     Liebel & Koerner 2018, s = ln c^2               e^-s L / 2 + ln(1 + e^s)                    rests at c^2 = (L + sqrt(L^2 + 8 L)) / 4
 *     IMTL-L (Liu et al. 2021)                        e^s L - s                                   rests at weight e^s = 1 / L
 *
 * Kendall's forms have no lower bound as L -> 0 (ln sigma falls without end); Liebel & Koerner's regulariser was made so that it has.
 * The classification form rests on an approximation of the softmax at temperature sigma^2 that is exact only at sigma = 1.
 */
import {
  add,
  exp,
  type Gpu,
  type Initial,
  multiply,
  type Scalar,
  scale,
  softplus,
  stateTensor,
  subtract,
  within,
} from '../../engine/index.ts';
import {
  ObjectiveScheme,
  type PerTask,
  perTask,
  presentTasks,
  sumOf,
  type Task,
  type TaskLosses,
  type TaskValues,
} from './scheme.ts';
import { SIGMA_BOUND, sigmaProblem } from './sigma-range.ts';

interface Rule {
  /** The task's term of the objective. */
  readonly term: (loss: Scalar, s: Scalar) => Scalar;
  /** sigma = e^(s spread), the scale whose inverse square weighs the loss. */
  readonly spread: 0.5 | -0.5;
  /** weight = factor / sigma^2 */
  readonly factor: 1 | 0.5;
}

const regression: Rule = {
  term: (loss, s) => scale(add(multiply(loss, exp(scale(s, -1))), s), 0.5),
  spread: 0.5,
  factor: 0.5,
};
const classification: Rule = {
  term: (loss, s) => add(multiply(loss, exp(scale(s, -1))), scale(s, 0.5)),
  spread: 0.5,
  factor: 1,
};
const liebel: Rule = {
  term: (loss, s) => add(scale(multiply(loss, exp(scale(s, -1))), 0.5), softplus(s)),
  spread: 0.5,
  factor: 0.5,
};
const imtl: Rule = { term: (loss, s) => subtract(multiply(loss, exp(s)), s), spread: -0.5, factor: 1 };

/** The rule of each task, by scheme. */
export const learntRules = {
  /** Each task in the form that was derived for it: a map's divergence as a regression, the diagnosis as a classification. */
  kendall: { saliency: regression, diagnosis: classification },
  'kendall-regression': { saliency: regression, diagnosis: regression },
  'kendall-classification': { saliency: classification, diagnosis: classification },
  liebel: { saliency: liebel, diagnosis: liebel },
  'imtl-l': { saliency: imtl, diagnosis: imtl },
} as const satisfies Record<string, PerTask<Rule>>;

/** Of a logarithm of sigma squared, or of its reciprocal. */
const NUMBER_BOUND = 2 * Math.log(SIGMA_BOUND);
const NAMES: PerTask<string> = { saliency: 'image', diagnosis: 'class' };

/** The numbers s, as the optimizer sees them: log_variance_image and log_variance_class, or log_weight_... for IMTL-L. */
export class LearntWeightScheme extends ObjectiveScheme {
  private readonly rules: PerTask<Rule>;
  private readonly numbers: PerTask<Scalar>;

  constructor(gpu: Gpu, rules: PerTask<Rule>) {
    super();
    this.rules = rules;
    this.numbers = perTask(() => stateTensor(gpu, '', [], 'log variance', true));
    this.initialise(0);
  }

  override members() {
    return { [this.nameOf('diagnosis')]: this.numbers.diagnosis, [this.nameOf('saliency')]: this.numbers.saliency };
  }

  override problemOf(sigmas: TaskValues): string | null {
    return sigmaProblem(sigmas, (task) => this.nameOf(task), 'lower');
  }

  private nameOf(task: Task): string {
    return `${this.rules[task].spread > 0 ? 'log_variance' : 'log_weight'}_${NAMES[task]}`;
  }

  protected override initials(): Record<string, Initial> {
    return Object.fromEntries(Object.keys(this.members()).map((name) => [name, { kind: 'constant', value: 0 }]));
  }

  override call(losses: TaskLosses): Scalar {
    return sumOf(
      presentTasks(losses).map(({ task, loss }) =>
        this.rules[task].term(loss, within(this.numbers[task], NUMBER_BOUND)),
      ),
    );
  }

  override sigmas(): PerTask<Scalar> {
    return perTask((task) => exp(scale(this.numbers[task], this.rules[task].spread)));
  }

  protected weights(sigmas: TaskValues): TaskValues {
    return perTask((task) => this.rules[task].factor / sigmas[task]! ** 2);
  }
}
