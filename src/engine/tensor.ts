/**
 * A tensor: named axes, a shape, a place on the GPU, and how it was made.
 *
 * Born inside a step, a tensor passes with the step; born outside, it lasts until its owner calls `release`.
 */
import type { Contents, Gpu } from './gpu.ts';
import type { Bindable } from './kernel.ts';
import type { Storage } from './memory.ts';
import { checkShape, describe, type Shape, type Shaped, ShapeError, sizeOf } from './shape.ts';
import { UploadedIntegers } from './uploaded.ts';

export type Scalar = Tensor<''>;
/** f16: what kernels read as float32 and round as they write it. */
export type ElementType = 'f32' | 'u32' | 'f16';

/** For each differentiable input, a function that computes its gradient; it is called only where that gradient is wanted. */
export type Thunks<Inputs> = { readonly [Role in keyof Inputs]-?: () => Tensor };

/** How a tensor was made: its inputs, and the rule that turns its gradient into theirs. */
export interface Origin {
  readonly inputs: Readonly<Record<string, Tensor | null | undefined>>;
  readonly rule: (gradient: Tensor) => Readonly<Record<string, () => Tensor>>;
  /** Tensors that only the rule needs: statistics, winners of a pool. */
  readonly saved: readonly Tensor[];
  /** Tensors of the forward pass whose contents the rule reads. */
  readonly reads: readonly Tensor[];
}

/** Where the contents of an N C H W tensor that nobody has written yet can be read instead, or a range of its channels. */
export interface Source {
  /** N C H W, or N C H/2 W/2 where `raised`. */
  readonly tensor: Tensor;
  /** Of C K, from batchNorm: relu(normalise(tensor)) is what is to be read. Null: what stands there. */
  readonly moments: Tensor | null;
  /** Every element is to be read twice along both axes: nearest neighbours at twice the size. */
  readonly raised: boolean;
}

/** How a tensor's contents are computed, now or once more: by which dispatches, from what. */
interface Recipe {
  readonly from: readonly Tensor[];
  /** Dispatches kernels that read `from` and write the tensor, and nothing else that stays. */
  readonly fill: () => void;
  /** Where a kernel that can finds the contents without `fill`; null where only `fill` will do. */
  readonly sources?: () => readonly Source[] | null;
}

/** One operation of a forward pass, by name, with everything that decides its result. */
export interface Operation {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Readonly<Record<string, unknown>>;
}

let births = 0;

export class Tensor<Axes extends string = string> implements Shaped, Bindable {
  readonly gpu: Gpu;
  readonly axes: Axes;
  readonly shape: Shape;
  readonly name: string;
  readonly type: ElementType;
  /** Later tensors have larger numbers, so descending order is an order for the backward pass. */
  readonly birth = ++births;
  /** A parameter, or computed from one while gradients were recorded. */
  requiresGradient = false;
  origin: Origin | null = null;
  /** Whether backward() has taken the origin away: such a tensor is no parameter, and a later gradient must not end at it. */
  isConsumed = false;
  /** Set by backward() on parameters; passes with the step. */
  gradient: Tensor<Axes> | null = null;
  /**
   * C Z K, if the kernel that wrote this tensor gathered them on its way: mean, sum of squared deviations and count of each slice Z of a channel.
   * batchNorm takes them away.
   */
  statistics: Tensor | null = null;
  /** Of a gradient, while a rule runs: whether nobody wants it afterwards, so that the rule may write its answer over it and give it back as that. */
  spare = false;
  /** Of a u32 tensor that was uploaded. */
  uploaded: UploadedIntegers | null = null;
  private held: Storage | null;
  private alive = true;
  private kept = false;
  private recipe: Recipe | null = null;
  /** Whether the contents are not on the device: given back to be computed once more, or not asked for yet. */
  private absent: boolean;
  /** Whether a rule of the backward pass reads the contents. */
  private readers = false;
  /** Whether another tensor's contents may yet be computed from this one's. */
  private sourced = false;

  /** `storage` null: the contents come by a recipe, when they are asked for; see promise(). */
  constructor(gpu: Gpu, axes: Axes, shape: Shape, storage: Storage | null, name: string, type: ElementType = 'f32') {
    this.gpu = gpu;
    this.axes = axes;
    this.shape = shape;
    this.held = storage;
    this.absent = storage === null;
    this.name = name;
    this.type = type;
    gpu.adopt(this);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get byteLength(): number {
    return bytesOf(this.size, this.type);
  }

  get isAlive(): boolean {
    return this.alive;
  }

  /** Where the contents are; they are computed now if they are not there. */
  get storage(): Storage {
    if (!this.alive) this.assertAlive('storage');
    if (this.absent) this.remake();
    return this.held!;
  }

  /** Where contents that are not on the device can be read nevertheless; null where they are, or where only computing them will do. */
  get elsewhere(): readonly Source[] | null {
    return this.absent && this.gpu.fuses ? (this.recipe?.sources?.() ?? null) : null;
  }

  /** Where a kernel that can read this tensor's channels piece by piece finds them, in their order; this tensor itself, written now if need be. */
  get sources(): readonly Source[] {
    const found = this.elsewhere;
    if (found) return found;
    void this.storage;
    return [{ tensor: this, moments: null, raised: false }];
  }

  /** Whether the contents are on the device, and no other tensor looks at them. */
  get isSole(): boolean {
    return this.isPresent && this.held!.holders === 1;
  }

  /** Whether the contents are on the device now. */
  get isPresent(): boolean {
    return this.alive && !this.absent;
  }

  /** The storage that this tensor had last, also when it was given back: where a recorded step finds its results. */
  get place(): Storage {
    return this.held!;
  }

  /** Keeps this tensor through backward(), which otherwise gives back every intermediate that is not a scalar. */
  keep(): this {
    this.kept = true;
    this.settle();
    return this;
  }

  get isKept(): boolean {
    return this.kept || this.shape.length === 0;
  }

  release(): void {
    if (!this.alive) throw new Error(`${this.name}: this tensor was given back twice.`);
    this.releaseIfAlive();
  }

  releaseIfAlive(): void {
    if (!this.alive) return;
    this.alive = false;
    if (!this.absent) this.held!.release();
  }

  /** Says how the contents are computed. They are at once, unless the tensor is a promise. */
  made(recipe: Recipe): this {
    if (!this.absent) recipe.fill();
    if (this.absent || this.gpu.recomputes) this.recipe = recipe;
    return this;
  }

  /**
   * Says that the forward pass has read this tensor for the last time. Contents that no rule of the backward pass reads are given back; where
   * gpu.recomputes, so are those that can be computed once more.
   */
  passOn(): void {
    if (!this.alive || this.isKept) return;
    if (this.readers) this.withdraw();
    else if (this.sourced) this.drop();
    else this.releaseIfAlive();
  }

  /** Where gpu.recomputes: gives the contents back if they can be computed once more; whoever asks for them has them then. */
  withdraw(): void {
    if (this.gpu.recomputes) this.drop();
  }

  private drop(): void {
    if (this.absent || !this.recipe || !this.alive) return;
    this.absent = true;
    this.held!.release();
  }

  private remake(): void {
    const { from, fill } = this.recipe!;
    const others = from.filter(({ absent }) => absent);
    this.held = this.gpu.pool.acquire(this.byteLength);
    this.absent = false;
    fill();
    for (const tensor of others) tensor.drop(); // they are wanted later, if at all
  }

  /** Has the contents for good, whatever becomes of those that they are computed from. */
  private settle(): void {
    if (this.absent) this.remake();
    this.recipe = null;
  }

  /** Throws if the tensor was given back: by its owner, at the end of its step, or by backward(). */
  assertAlive(use: string): void {
    if (this.alive) return;
    throw new Error(
      `${use}: ${this.name} (${describe(this.axes, this.shape)}) was already given back; call keep() on it before backward(), or use it inside its step.`,
    );
  }

  /** The same numbers under other axes, without a copy. The gradient passes through. */
  view<A extends string>(axes: A, shape: Shape): Tensor<A> {
    checkShape('view', axes, shape);
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError('view', `${this.size} elements cannot be seen as ${sizeOf(shape)}`, {
        input: this,
        wanted: { axes, shape },
      });
    }
    const seen = new Tensor(this.gpu, axes, shape, this.storage.hold(), this.name, this.type);
    return seen.tell('view', [this]).derivedFrom(
      { input: this as Tensor },
      (gradient) => ({
        input: () => gradient.view(this.axes, this.shape),
      }),
      [],
      [],
    );
  }

  /**
   * Calls `check` with the integers that were uploaded into this tensor, now and each time that a recorded step uploads others. Does nothing for
   * integers that the host does not know.
   */
  onContents(check: (values: Uint32Array) => void): void {
    this.uploaded?.inspect(check);
  }

  /** Tells whoever listens which operation made this tensor, from what and how. */
  tell(name: string, inputs: readonly Tensor[], attributes: Operation['attributes'] = {}): this {
    this.gpu.onOperation?.({ name, inputs, output: this, attributes });
    return this;
  }

  /**
   * Remembers how this tensor was made. `rule` receives the gradient of this tensor and answers with one thunk for each input.
   * `saved` tensors are given back when the rule has run, or at once when no gradient will be wanted. `reads` are the tensors of the forward
   * pass whose contents the rule reads: all inputs unless given.
   */
  derivedFrom<Inputs extends Record<string, Tensor | null | undefined>>(
    inputs: Inputs,
    rule: (gradient: Tensor<Axes>) => Thunks<Inputs>,
    saved: readonly Tensor[] = [],
    reads: readonly Tensor[] = Object.values(inputs).filter((input) => input != null),
  ): this {
    this.gpu.onTensor?.(this);
    if (this.gpu.recordsGradients && Object.values(inputs).some((input) => input?.requiresGradient)) {
      this.requiresGradient = true;
      this.origin = { inputs, rule: rule as unknown as Origin['rule'], saved, reads };
      for (const tensor of reads) tensor.readers = true;
      for (const tensor of this.recipe?.from ?? []) tensor.sourced = true;
    } else {
      this.settle();
      for (const tensor of saved) tensor.release();
    }
    return this;
  }
}

/** A multiple of four, as bindings are. */
const bytesOf = (size: number, type: ElementType) => (type === 'f16' ? Math.ceil(size / 2) * 4 : size * 4);

/**
 * A tensor with unspecified contents, for a kernel to fill. Where gpu.halves, those of N C H W, the activations of a forward pass, are
 * float16 unless a type is asked for; everything else is float32.
 */
export function empty<Axes extends string>(
  gpu: Gpu,
  axes: Axes,
  shape: Shape,
  name: string,
  type: ElementType = gpu.halves && axes === 'NCHW' ? 'f16' : 'f32',
): Tensor<Axes> {
  const bytes = checkedBytes(gpu, axes, shape, name, type);
  return new Tensor(gpu, axes, shape, gpu.pool.acquire(bytes), name, type);
}

/**
 * An activation that need not be written where its readers find it elsewhere: made() says how its contents are computed, which happens when
 * someone asks for them. Like empty() where no kernel reads in place, where no gradients are remembered (nothing then lasts that the contents
 * could be computed from later), and where gpu.halves (what is written is rounded, what is read in place would not be).
 */
export function promise(gpu: Gpu, shape: Shape, name: string): Tensor<'NCHW'> {
  if (!gpu.fuses || gpu.halves || !gpu.recordsGradients) return empty(gpu, 'NCHW', shape, name);
  checkedBytes(gpu, 'NCHW', shape, name);
  return new Tensor(gpu, 'NCHW', shape, null, name);
}

/**
 * A tensor with the given contents, row-major. Inside a step it passes with the step. A function is asked for the contents each time that
 * the step is done, also where a recorded step is done again.
 */
export function upload<Axes extends string>(
  gpu: Gpu,
  axes: Axes,
  shape: Shape,
  data: Contents | (() => Contents),
  name = 'upload',
): Tensor<Axes> {
  const bytes = checkedBytes(gpu, axes, shape, name);
  const size = sizeOf(shape);
  const storage = gpu.pool.acquire(bytes, 'upload');
  let type: ElementType = 'f32';
  const integers = new UploadedIntegers();
  const fill = (contents: Contents) => {
    const typed = contents instanceof Float32Array || contents instanceof Uint32Array;
    const values = typed ? contents : Float32Array.from(contents);
    if (values.length !== size) {
      throw new ShapeError('upload', `${values.length} values were given for ${size} elements`, {
        [name]: { axes, shape },
      });
    }
    type = values instanceof Uint32Array ? 'u32' : 'f32';
    if (values instanceof Uint32Array) integers.fill(values);
    if (size > 0) gpu.device.queue.writeBuffer(storage.buffer, 0, values as Float32Array<ArrayBuffer>);
  };
  try {
    gpu.fill(data, fill, name);
  } catch (cause) {
    storage.release();
    throw cause;
  }
  const tensor = new Tensor(gpu, axes, shape, storage, name, type);
  if ((type as ElementType) === 'u32') tensor.uploaded = integers;
  return tensor;
}

/** Replaces the contents of a tensor that outlives steps. */
export function write(tensor: Tensor, data: Float32Array): void {
  if (tensor.gpu.stepOpen)
    throw new Error(`write: ${tensor.name} cannot be written while a step is open; write it before the step.`);
  if (data.length !== tensor.size) {
    throw new ShapeError('write', `${data.length} values were given for ${tensor.size} elements`, { tensor });
  }
  tensor.assertAlive('write');
  if (data.length > 0) tensor.gpu.device.queue.writeBuffer(tensor.storage.buffer, 0, data as Float32Array<ArrayBuffer>);
}

/** A lasting tensor that optimizers change. */
export function parameter<Axes extends string>(
  gpu: Gpu,
  axes: Axes,
  shape: Shape,
  data: Float32Array,
  name: string,
): Tensor<Axes> {
  if (gpu.stepOpen) throw new Error(`parameter: ${name} must be made outside a step, or it would pass with it.`);
  const made = upload(gpu, axes, shape, data, name);
  made.requiresGradient = true;
  return made;
}

function checkedBytes(gpu: Gpu, axes: string, shape: Shape, name: string, type: ElementType = 'f32'): number {
  checkShape(name, axes, shape);
  const bytes = bytesOf(sizeOf(shape), type);
  const allowed = gpu.limits.maxBufferSize;
  if (bytes > allowed) {
    const mib = (value: number) => `${(value / 2 ** 20).toFixed(0)} MiB`;
    throw new ShapeError(
      name,
      `${mib(bytes)} are more than the ${mib(allowed)} that ${gpu.description.name} can hold in one buffer`,
      { tensor: { axes, shape } },
      'Use a smaller batch, a smaller image or fewer channels, or an adapter with a larger limit (see `mtunet devices`).',
    );
  }
  return bytes;
}
