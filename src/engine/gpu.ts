/**
 * The device, and steps on it.
 *
 *     using gpu = await openGpu();
 *     const { loss } = await gpu.step(() => { ...; return { loss } });   // loss is a number
 *
 * Operations may be called only inside a step. A step records commands, submits them at its end, and gives back every tensor that was
 * born inside it. Tensors born outside a step last until their owner releases them.
 */
import { type AdapterDescription, awaitDevice, type FindOptions, findAdapter, leftUnused } from '#gpu-host';
import type { MatrixConfig } from '../shaders/matrix-product.ts';
import { KernelChoices } from './choices.ts';
import { Faults } from './faults.ts';
import { type Bindable, type Kernel, KernelCache } from './kernel.ts';
import { MATRICES, MATRIX_FEATURES, matrixConfigs } from './matrix-configs.ts';
import { BufferPool, type MemoryReport } from './memory.ts';
import { collectTensors, type OnHost, replaceTensors } from './results.ts';
import { halfToNumber } from './safetensors-tensor.ts';
import type { Operation, Tensor } from './tensor.ts';

export type Command =
  | {
      readonly kind: 'dispatch';
      readonly name: string;
      readonly pipeline: GPUComputePipeline;
      readonly bindGroup: GPUBindGroup;
      readonly bound: Readonly<Record<string, Bindable>>;
      readonly x: number;
      readonly y: number;
      readonly z: number;
    }
  | {
      readonly kind: 'copy';
      readonly from: Bindable;
      readonly fromByte: number;
      readonly to: Bindable;
      readonly toByte: number;
      readonly bytes: number;
    };

export type Synchronous<T> = T extends PromiseLike<unknown> ? 'a step must be synchronous: await outside the step' : T;

/** Listens while the body of a step runs, so that the step can be done again without it; see recording.ts. */
export interface Tape {
  /** `fill` writes contents into the buffer of the upload called `name`. */
  upload(data: Contents | (() => Contents), fill: (contents: Contents) => void, name: string): void;
  eachTime(effect: () => void): void;
  /** The body has ended. */
  end(commands: readonly Command[], result: unknown): void;
}

/** Numbers for a tensor, row-major. */
export type Contents = Float32Array | Uint32Array | readonly number[];

export interface OpenOptions extends FindOptions {
  /**
   * What to leave unused although the adapter has it: 'subgroups', 'shader-f16', 'timestamp-query', or 'limits', for the default limits of the WebGPU
   * specification, which phones have. Unless given, what the environment says (in Node: MTUNET_WITHOUT).
   */
  readonly without?: readonly string[];
  /** Bytes that are bound at once at most where the device allows more: tensors above it go the way of those that are too large for it. */
  readonly largestBinding?: number;
}

const WANTED_FEATURES = ['subgroups', 'shader-f16', 'timestamp-query'];
const LEAVABLE = [...WANTED_FEATURES, MATRICES, 'limits'];
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxStorageBuffersPerShaderStage',
] as const;

/** What a device is asked for, of what the adapter has. */
export function wantedFeatures(offered: ReadonlySet<string>, without: readonly string[]): string[] {
  const usable = (feature: string) => offered.has(feature) && !without.includes(feature);
  return [...WANTED_FEATURES, ...(usable(MATRICES) ? MATRIX_FEATURES : [])].filter(usable);
}

/** Finds an adapter (see platform/) and opens a device on it with the adapter's own limits. */
export async function openGpu({ without = leftUnused(), largestBinding, ...options }: OpenOptions = {}): Promise<Gpu> {
  const unknown = without.find((name) => !LEAVABLE.includes(name));
  if (unknown !== undefined)
    throw new Error(`without: "${unknown}" is nothing that can be left unused; there are ${LEAVABLE.join(', ')}.`);
  const { adapter, description } = await findAdapter(options);
  const limits = without.includes('limits') ? [] : WANTED_LIMITS;
  const requiredLimits = Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]]));
  const requiredFeatures = wantedFeatures(adapter.features, without);
  const device = await adapter.requestDevice({
    requiredFeatures: requiredFeatures as GPUFeatureName[],
    requiredLimits,
  });
  return new Gpu(device, description, largestBinding);
}

export class Gpu {
  readonly device: GPUDevice;
  readonly description: AdapterDescription;
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  /** The products of subgroup matrices that kernels may use; none on most devices. */
  readonly matrixConfigs: readonly MatrixConfig[];
  readonly pool: BufferPool;
  readonly kernels: KernelCache;
  readonly choices = new KernelChoices();
  /** Whether operations remember how to compute gradients; see autograd.ts. */
  recordsGradients = true;
  /** Whether activations that are cheap to compute (normalisations with their ReLU, joined channels) are computed again for the backward pass instead of stored. */
  recomputes = false;
  /** Whether activations are kept in half precision; the device needs shader-f16. */
  halves = false;
  /**
   * Whether convolutions take in what is around them: read a normalised, enlarged or joined input where it comes from, and gather the statistics of
   * the normalisation that follows. So they do on GPUs (conv2d-gemm.ts) and for the eight lanes of lavapipe (conv2d-strip.ts). For the four of
   * SwiftShader they can, but that is no faster and more to compile.
   */
  fuses: boolean;
  /** When set, is told of every tensor that an operation makes; see audit.ts. */
  onTensor: ((tensor: Tensor) => void) | null = null;
  /** When set, is told of every command that a step records: for profiles. */
  onCommand: ((command: Command) => void) | null = null;
  /** When set, is told how every tensor is made in a forward pass: what a graph for other tools is built from. */
  onOperation: ((made: Operation) => void) | null = null;
  /** Whether a StepRecorder records; without, it runs every step's body. */
  recordsSteps = true;
  private commands: Command[] = [];
  /** Commands of the open step that are on their way already; see hurry(). */
  private underWay = 0;
  private passing: Tensor[] = [];
  private inStep = false;
  private tape: Tape | null = null;
  private closed = false;
  private readonly faults: Faults;

  constructor(device: GPUDevice, description: AdapterDescription, largestBinding = Number.POSITIVE_INFINITY) {
    this.device = device;
    this.description = description;
    this.limits = device.limits;
    this.features = new Set(device.features);
    this.matrixConfigs = matrixConfigs(this.features, device.adapterInfo);
    this.faults = new Faults(device, description);
    this.pool = new BufferPool(device, this.faults.watch);
    this.kernels = new KernelCache(device, this.faults.watch, largestBinding);
    this.fuses = !description.software || this.subgroupLanes === 8;
  }

  /** Lanes of a subgroup where that is one fixed number and subgroups are on, else null. */
  get subgroupLanes(): number | null {
    const { subgroupMinSize, subgroupMaxSize } = this.device.adapterInfo;
    return this.features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : null;
  }

  /**
   * Lanes of the vectors that kernels for processors are made for, 4 or 8: as many as a subgroup has; without subgroups four on SwiftShader, and eight
   * on any other software adapter. Null where neither is known. Speed alone depends on it, not what is computed.
   */
  get vectorLanes(): 4 | 8 | null {
    const { software, name } = this.description;
    const lanes = this.features.has('subgroups')
      ? this.subgroupLanes
      : !software
        ? null
        : /swiftshader/i.test(name)
          ? 4
          : 8;
    return lanes === 4 || lanes === 8 ? lanes : null;
  }

  get stepOpen(): boolean {
    return this.inStep;
  }

  /**
   * Runs `body`, which calls operations and returns tensors, submits what it recorded, and brings the results to the host.
   * The commands are on their way when this returns, so the next step can be recorded before this one's results are awaited.
   */
  step<T>(body: () => Synchronous<T>, tape: Tape | null = null): Promise<OnHost<T>> {
    if (this.inStep) throw new Error('gpu.step: a step is already open; steps do not nest.');
    this.faults.assertPresent();
    this.inStep = true;
    this.tape = tape;
    this.pool.openStep();
    let arrived: Promise<OnHost<T>>;
    try {
      const result = body() as T;
      if (result instanceof Promise) throw new Error('gpu.step: a step must be synchronous; await outside the step.');
      const results: Tensor[] = [];
      collectTensors(result, results);
      for (const tensor of results) {
        tensor.assertAlive('the result of a step');
        void tensor.storage; // computes contents that were given back
      }
      tape?.end(this.commands, result);
      arrived = this.submit(this.commands.slice(this.underWay), result);
    } finally {
      this.commands = [];
      this.underWay = 0;
      for (const tensor of this.passing) tensor.releaseIfAlive();
      this.passing = [];
      this.inStep = false;
      this.tape = null;
      this.pool.closeStep();
    }
    return arrived;
  }

  /** Does again what a step did: its commands over the same buffers, and the same results from them. */
  replay<T>(commands: readonly Command[], result: T): Promise<OnHost<T>> {
    if (this.inStep) throw new Error('gpu.replay: a step is open; steps do not nest.');
    this.faults.assertPresent();
    return this.submit(commands, result);
  }

  /**
   * Inside a step: what happens on the host once in every step, such as counting it. When the step is recorded, `effect` runs again each
   * time it is done again, so it must read what it needs where it stands then.
   */
  eachTime(effect: () => void): void {
    this.tape?.eachTime(effect);
    effect();
  }

  /** Writes `data` into a new upload's buffer, now and each time that the open step is done again. */
  fill(data: Contents | (() => Contents), fill: (contents: Contents) => void, name: string): void {
    this.tape?.upload(data, fill, name);
    fill(typeof data === 'function' ? data() : data);
  }

  /** Whether someone listens to single operations, who would hear nothing of a step that is done again. */
  get isObserved(): boolean {
    return this.onTensor !== null || this.onCommand !== null || this.onOperation !== null;
  }

  get isRecording(): boolean {
    return this.tape !== null;
  }

  /**
   * Makes the pipelines of these kernels before a step needs them, all at once: where the driver compiles on threads of its own, in the time of
   * the slowest. Throws where one does not compile. Bits are those of pipelines that are made at their first use.
   */
  async prepare(kernels: Iterable<Kernel>): Promise<void> {
    this.faults.assertPresent();
    await awaitDevice(this.kernels.prepare(kernels), this.device);
    await this.faults.check();
    this.faults.assertPresent();
  }

  /** Contents of a tensor that outlives steps. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const { values } = await this.step(() => ({ values: tensor as Tensor<'C'> }) as never);
    return typeof values === 'number' ? Float32Array.of(values) : values;
  }

  /**
   * Before a pipeline is made inside a step: SwiftShader compiles on this thread, and meanwhile computes on others what was recorded so far. Only the
   * first step of a kind makes pipelines, so only there can a body that throws leave a part of itself done. Other drivers compile elsewhere or later.
   */
  hurry(): void {
    if (this.description.name !== 'SwiftShader' || this.commands.length === this.underWay) return;
    const encoder = this.device.createCommandEncoder();
    encode(encoder, this.commands.slice(this.underWay));
    this.device.queue.submit([encoder.finish()]);
    this.underWay = this.commands.length;
  }

  record(command: Command): void {
    if (!this.inStep) {
      const what = command.kind === 'dispatch' ? command.name : 'copy';
      throw new Error(`${what}: operations run inside gpu.step(() => { ... }), and no step is open.`);
    }
    this.commands.push(command);
    this.onCommand?.(command);
  }

  /** Called by tensors at birth: inside a step they pass with it. */
  adopt(tensor: Tensor): void {
    if (this.inStep) this.passing.push(tensor);
  }

  /**
   * Inside a step: gives back what `body` made, except its result, when no gradient will ask for it. A block of a network that runs in a
   * scope holds one tensor at its end in evaluation, and the same where all of it is frozen.
   */
  scope<T extends Tensor>(body: () => T): T {
    const before = this.passing.length;
    const result = body();
    if (result.requiresGradient) return result;
    for (const tensor of this.passing.splice(before)) {
      if (tensor === result) this.passing.push(tensor);
      else tensor.releaseIfAlive();
    }
    return result;
  }

  memory(): MemoryReport {
    return this.pool.report();
  }

  /** Waits for all submitted work; throws what the device complained about, if it did. */
  async settle(): Promise<void> {
    const done = this.device.queue.onSubmittedWorkDone();
    await awaitDevice(done, this.device).catch((rejection) => this.faults.explain(rejection));
    await this.faults.check();
  }

  trim(): void {
    this.kernels.forgetBindGroups();
    this.pool.trim();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.faults.close();
    this.kernels.destroy();
    this.pool.destroyAll();
    this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  private submit<T>(commands: readonly Command[], result: T): Promise<OnHost<T>> {
    const wanted: Tensor[] = [];
    collectTensors(result, wanted);
    const offsets: number[] = [];
    let bytes = 0;
    for (const tensor of wanted) {
      offsets.push(bytes);
      bytes += Math.ceil(tensor.byteLength / 256) * 256;
    }
    const encoder = this.device.createCommandEncoder();
    encode(encoder, commands);
    const staging = bytes > 0 ? this.device.createBuffer({ size: bytes, usage: 0x01 | 0x08 }) : null; // MAP_READ | COPY_DST
    if (staging) {
      wanted.forEach((tensor, i) => {
        if (tensor.byteLength > 0)
          encoder.copyBufferToBuffer(tensor.place.buffer, 0, staging, offsets[i], tensor.byteLength);
      });
    }
    this.device.queue.submit([encoder.finish()]);
    return this.receive(result, wanted, offsets, staging);
  }

  private async receive<T>(
    result: T,
    wanted: readonly Tensor[],
    offsets: readonly number[],
    staging: GPUBuffer | null,
  ): Promise<OnHost<T>> {
    const arrived = new Map<Tensor, number | Float32Array>();
    if (staging) {
      await awaitDevice(staging.mapAsync(0x01), this.device).catch((rejection) => this.faults.explain(rejection));
      const range = staging.getMappedRange();
      wanted.forEach((tensor, i) => {
        const bytes = range.slice(offsets[i], offsets[i] + tensor.byteLength);
        const values = tensor.type === 'f16' ? fromHalves(bytes, tensor.size) : new Float32Array(bytes);
        arrived.set(tensor, tensor.shape.length === 0 ? values[0] : values);
      });
      staging.unmap();
      staging.destroy();
    }
    await this.faults.check();
    return replaceTensors(result, arrived) as OnHost<T>;
  }
}

const fromHalves = (bytes: ArrayBuffer, size: number) =>
  Float32Array.from(new Uint16Array(bytes, 0, size), halfToNumber);

function encode(encoder: GPUCommandEncoder, commands: readonly Command[]): void {
  let pass: GPUComputePassEncoder | null = null;
  let current: GPUComputePipeline | null = null;
  for (const command of commands) {
    if (command.kind === 'copy') {
      pass?.end();
      pass = current = null;
      encoder.copyBufferToBuffer(
        command.from.storage.buffer,
        command.fromByte,
        command.to.storage.buffer,
        command.toByte,
        command.bytes,
      );
      continue;
    }
    pass ??= encoder.beginComputePass();
    if (command.pipeline !== current) {
      current = command.pipeline;
      pass.setPipeline(current);
    }
    pass.setBindGroup(0, command.bindGroup);
    pass.dispatchWorkgroups(command.x, command.y, command.z);
  }
  pass?.end();
}
