/**
 * What Adam, RMSProp and SGD share: the parameters, their moments, the settings on the device, and state that can be saved.
 *
 * step() is called inside a step, after backward(), once. Parameters without a gradient are left alone, as in PyTorch.
 */
import { dispatch, type Kernel, linearGroups } from '../kernel.ts';
import { ShapeError, sameShape } from '../shape.ts';
import { type Scalar, type Tensor, upload, write } from '../tensor.ts';

export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
  /** The learning rate of this tensor as a multiple of the optimizer's; 1 unless given. */
  readonly rate?: number;
}

/** Everything that an optimizer remembers, on the host. */
export interface OptimizerState {
  readonly steps: number;
  readonly learningRate: number;
  /** "<parameter>.<moment>" -> values */
  readonly moments: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}

const SETTINGS = 8;

export abstract class Optimizer {
  learningRate: number;
  protected steps = 0;
  protected readonly parameters: readonly NamedTensor[];
  /** Names of the moments, in the order first, second, third of optimizers.wgsl. */
  protected readonly momentNames: readonly string[];
  private readonly moments = new Map<string, Tensor[]>();
  /** For each multiple of the learning rate that occurs. */
  private readonly settings = new Map<number, Tensor>();

  constructor(parameters: Iterable<NamedTensor>, learningRate: number, momentNames: readonly string[]) {
    this.parameters = [...parameters];
    this.momentNames = momentNames;
    this.learningRate = learningRate;
    const [first] = this.parameters;
    if (!first) throw new Error('optimizer: there are no parameters to train.');
    if (!(learningRate >= 0)) throw new Error(`optimizer: a learning rate of ${learningRate} is not >= 0.`);
    if (first.tensor.gpu.stepOpen)
      throw new Error('optimizer: an optimizer must be made outside a step, or its moments would pass with it.');
    for (const { name, tensor, rate = 1 } of this.parameters) {
      if (!(rate >= 0))
        throw new Error(`optimizer: a rate of ${rate} times the learning rate for ${name} is not >= 0.`);
      if (!this.settings.has(rate)) {
        const zeros = new Float32Array(SETTINGS);
        this.settings.set(rate, upload(tensor.gpu, 'K', [SETTINGS], zeros, 'optimizer settings'));
      }
      this.moments.set(
        name,
        momentNames.map((moment) =>
          upload(tensor.gpu, tensor.axes, tensor.shape, new Float32Array(tensor.size), `${name}.${moment}`),
        ),
      );
    }
  }

  /** Settings 1 to 7 of optimizers.wgsl for step number `steps` (from 1). */
  protected abstract settingsAt(steps: number, learningRate: number): readonly number[];

  protected abstract readonly kernel: Kernel;

  /** Changes every parameter that has a gradient. With `guard`, a number that is not finite (a broken loss) leaves everything as it was. */
  step({ guard }: { readonly guard?: Scalar } = {}): void {
    this.parameters[0].tensor.gpu.eachTime(() => this.writeSettings(guard !== undefined));
    for (const { name, tensor, rate = 1 } of this.parameters) {
      const { gpu, gradient } = tensor;
      if (!gradient?.isAlive) continue;
      if (!sameShape(gradient.shape, tensor.shape))
        throw new ShapeError('optimizer', 'gradient and parameter differ', { [name]: tensor, gradient });
      const [first, second, third] = this.moments.get(name)!;
      const groups = linearGroups(tensor.size, 512);
      const settings = this.settings.get(rate)!;
      const bindings = {
        settings,
        guarded: guard ?? settings,
        gradient,
        parameter: tensor,
        first,
        second,
        third,
      };
      dispatch(gpu, this.kernel, bindings, { count: tensor.size, rowStride: groups[0] * 512 }, groups);
    }
  }

  /** One step further. Takes effect before any command of the open step, and nothing else in it reads the settings. */
  private writeSettings(guarded: boolean): void {
    this.steps++;
    for (const [rate, { gpu, storage }] of this.settings) {
      const values = new Float32Array(SETTINGS);
      values.set([guarded ? 1 : 0, ...this.settingsAt(this.steps, this.learningRate * rate)]);
      gpu.device.queue.writeBuffer(storage.buffer, 0, values);
    }
  }

  /** The last step changed nothing, and counts as none. */
  undoCount(): void {
    this.steps--;
  }

  get stepCount(): number {
    return this.steps;
  }

  /** Moments as named tensors, to be read inside a step; see `load`. */
  momentTensors(): NamedTensor[] {
    return [...this.moments].flatMap(([name, tensors]) =>
      tensors.map((tensor, i) => ({ name: `${name}.${this.momentNames[i]}`, tensor })),
    );
  }

  async state(): Promise<OptimizerState> {
    const named = this.momentTensors();
    const values = await this.parameters[0].tensor.gpu.step(() => named.map(({ tensor }) => tensor));
    const moments = new Map(
      named.map(({ name, tensor }, i) => {
        const value = values[i] as Float32Array | number;
        return [name, { shape: tensor.shape, values: typeof value === 'number' ? Float32Array.of(value) : value }];
      }),
    );
    return { steps: this.steps, learningRate: this.learningRate, moments };
  }

  /** Takes all moments from `state`; one that is missing or of another size is an error, and nothing is changed. */
  load(state: OptimizerState): void {
    const pairs = this.momentTensors().map(({ name, tensor }) => {
      const saved = state.moments.get(name);
      if (!saved)
        throw new Error(`optimizer: the saved state lacks "${name}"; it belongs to another network or optimizer.`);
      if (saved.values.length !== tensor.size)
        throw new ShapeError('optimizer', `the saved "${name}" has ${saved.values.length} values`, { [name]: tensor });
      return { tensor, values: saved.values };
    });
    for (const { tensor, values } of pairs) write(tensor, values);
    this.steps = state.steps;
    this.learningRate = state.learningRate;
  }

  dispose(): void {
    for (const tensor of this.settings.values()) tensor.releaseIfAlive();
    for (const tensors of this.moments.values()) {
      for (const tensor of tensors) tensor.releaseIfAlive();
    }
  }
}
