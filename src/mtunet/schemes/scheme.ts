/**
 * The one interface through which the Trainer runs every multi-task scheme.
 *
 * A scheme turns the losses of a batch into one change of the parameters. It says what is monitored (`call`), takes the step (`step`), and
 * tells the weight with which each raw loss entered it, w_t, so that r w_t is the task's effective learning rate under any scheme.
 *
 *     objective schemes   one scalar is descended: L = sum_t w_t L_t + terms without the network        (ObjectiveScheme, here)
 *     gradient schemes    per-task gradients of one forward pass are combined: d = sum_t c_t grad L_t   (gradient-scheme.ts)
 */
import {
  add,
  backward,
  type Gpu,
  type LossScaler,
  Module,
  type NamedTensor,
  type OnHost,
  type Optimizer,
  type Scalar,
  type Synchronous,
} from '../../engine/index.ts';
import type { Tensor } from '../../engine/tensor.ts';

export const TASKS = ['saliency', 'diagnosis'] as const;
export type Task = (typeof TASKS)[number];
export type PerTask<T> = { readonly [Name in Task]: T };

/** L_s of Eq. 2 and L_c of Eq. 3; null for a head that the network does not have. */
export type TaskLosses = PerTask<Scalar | null>;
/** Numbers of the host; null where a task or the notion is missing. */
export type TaskValues = PerTask<number | null>;

/** A batch that went through the network, with its graph. */
export interface ForwardPass {
  readonly losses: TaskLosses;
  /** The features from which the heads predict, if the network tells: every path from the input to a loss crosses them. */
  readonly representation?: readonly Tensor[] | null;
}

/** What a scheme needs to take one step. */
export interface StepContext {
  readonly gpu: Gpu;
  /** Called once, inside a step. */
  readonly forward: () => ForwardPass;
  /** Everything that is trained: the network's parameters and the scheme's own. */
  readonly parameters: readonly NamedTensor[];
  readonly optimizer: Optimizer;
  /** For gradients in half precision; only schemes that descend one scalar know it. */
  readonly scaler?: LossScaler | null;
  /** gpu.step, or the same from a recording, for a step whose body makes the same commands every time. */
  readonly run: <T>(body: () => Synchronous<T>) => Promise<OnHost<T>>;
  /** Counts from 1 over the whole run; random numbers of a scheme depend on it and the seed alone. */
  readonly step: number;
}

export interface StepOutcome {
  /** The monitored objective. When it is not a finite number, nothing was changed. */
  readonly loss: number;
  readonly losses: TaskValues;
  /** Before the step. */
  readonly sigmas: TaskValues;
  /** The factor on each raw loss in this step. */
  readonly weights: TaskValues;
}

/** Plain JSON that belongs to the checkpoint. */
export type SchemeMemory = { readonly [key: string]: unknown } | null;

export abstract class Scheme extends Module {
  members(): Readonly<Record<string, Tensor>> {
    return {};
  }

  /**
   * Inside a step: the scalar that is monitored on the validation split. A task without a loss has no term.
   * L_s + L_c, unless the weights are part of the objective: a combination of gradients descends no scalar of its own.
   */
  call(losses: TaskLosses): Scalar {
    return sumOf(presentTasks(losses).map(({ loss }) => loss));
  }

  /** One forward pass and one change of the parameters. */
  abstract step(context: StepContext): Promise<StepOutcome>;

  /** Inside a step: the scale of each task, to be read with the step's results; null where the scheme has none. */
  sigmas(): PerTask<Scalar | number | null> {
    return { saliency: null, diagnosis: null };
  }

  /** Why the objective means nothing with these sigmas, a clause with its remedy; null where it does. */
  problemOf(_sigmas: TaskValues): string | null {
    return null;
  }

  /** What the scheme remembers beside its tensors. */
  get memory(): SchemeMemory {
    return null;
  }

  restore(_memory: SchemeMemory): void {}

  /** Told the means of the raw training losses after every epoch. */
  endEpoch(_means: TaskValues): void {}
}

/** A scheme that descends one scalar. */
export abstract class ObjectiveScheme extends Scheme {
  /** Of the step under way: what a recorded step reads instead of the number that its body saw. */
  protected stepNumber = 0;

  /** What is descended in this step, where it is not the monitored objective. */
  protected descended(_losses: TaskLosses, monitored: Scalar): Scalar {
    return monitored;
  }

  /** The factor on each raw loss, given the sigmas before the step. */
  protected abstract weights(sigmas: TaskValues, step: number): TaskValues;

  async step({ forward, parameters, optimizer, scaler, step, run }: StepContext): Promise<StepOutcome> {
    this.stepNumber = step;
    const { loss, losses, sigmas, verdicts } = await run(() => {
      const before = this.sigmas();
      const pass = forward();
      const monitored = this.call(pass.losses);
      const objective = this.descended(pass.losses, monitored);
      if (!scaler) backward(objective);
      const verdict = scaler?.backward(objective, parameters);
      optimizer.step({ guard: verdict ?? objective });
      return { loss: monitored, losses: pass.losses, sigmas: before, verdicts: verdict ? [objective, verdict] : [] };
    });
    if (scaler) scaler.learn({ loss: verdicts[0], verdict: verdicts[1] }, optimizer);
    return { loss, losses, sigmas, weights: this.weights(sigmas, step) };
  }
}

/** The tasks that have a loss, in a fixed order. */
export function presentTasks(losses: TaskLosses): { readonly task: Task; readonly loss: Scalar }[] {
  return TASKS.flatMap((task) => {
    const loss = losses[task];
    return loss ? [{ task, loss }] : [];
  });
}

export function sumOf(terms: readonly Scalar[]): Scalar {
  if (terms.length === 0) throw new Error('scheme: there is no loss to weigh.');
  return terms.reduce((total, term) => add(total, term));
}

export function perTask<T>(make: (task: Task) => T): PerTask<T> {
  return { saliency: make('saliency'), diagnosis: make('diagnosis') };
}
