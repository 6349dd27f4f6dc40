/**
 * A kernel is one entry point of a .wgsl file. Bindings and uniforms are passed by the names that the shader gives them.
 *
 *     const forward = kernel(shaders.conv2d, 'forward');
 *     dispatch(gpu, forward, { input, weight, output }, { N, C, H, W }, [groups]);
 *
 * A pipeline is made at first use, or before it by gpu.prepare(), and kept per device; it is specialised only by `constants` (WGSL overrides)
 * and by `append` (further declarations), so a new image size never compiles anything.
 */
import { firstLine, ShaderError, type Watch } from './faults.ts';
import type { Gpu } from './gpu.ts';
import { Layouts } from './layout.ts';
import type { Storage } from './memory.ts';

/** A shader file as embedded in shaders/sources.ts. */
export interface ShaderSource {
  readonly name: string;
  readonly code: string;
}

export interface Kernel {
  readonly name: string;
  readonly code: string;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly key: string;
}

/** What can be bound: a tensor, or anything else that has a storage. */
export interface Bindable {
  readonly storage: Storage;
  /** Where in the storage the kernel's view begins (0 unless given), and its bytes. */
  readonly byteOffset?: number;
  readonly byteLength: number;
  readonly name?: string;
  /** f16: elements of two bytes where the shader declares float32. */
  readonly type?: 'f32' | 'u32' | 'f16';
}

export interface KernelOptions {
  /** Values of the shader's override declarations. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Further declarations (functions, constants, libraries) that the file calls for. */
  readonly append?: readonly string[];
  /** Language extensions that the file needs. */
  readonly enable?: readonly string[];
}

export function kernel(
  source: ShaderSource,
  entryPoint: string,
  { constants = {}, append = [], enable = [] }: KernelOptions = {},
): Kernel {
  const key = [source.name, entryPoint, JSON.stringify(constants), ...append].join('|');
  return {
    name: `${source.name}.${entryPoint}`,
    code: [...enable.map((extension) => `enable ${extension};`), source.code, ...append].join('\n'),
    entryPoint,
    constants,
    key,
  };
}

/**
 * A kernel whose workgroups reduce with barriers, and whose shader declares `override LANES`: a workgroup is one subgroup on a processor, where
 * every barrier switches between subgroups, and 64 threads on a GPU.
 */
export function laneKernel(
  source: ShaderSource,
  entryPoint: string,
  options: KernelOptions = {},
): (gpu: Gpu) => Kernel {
  const made = new Map<number, Kernel>();
  return (gpu) => {
    const lanes = gpu.description.software ? (gpu.subgroupLanes ?? 8) : 64;
    let chosen = made.get(lanes);
    if (!chosen) {
      chosen = kernel(source, entryPoint, { ...options, constants: { ...options.constants, LANES: lanes } });
      made.set(lanes, chosen);
    }
    return chosen;
  };
}

/** Bind groups that a step asks for again and again are kept; the pool hands out the same buffers in the same order every step. */
interface Pipeline {
  readonly kernel: Kernel;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: ReadonlyMap<string, number>;
  readonly uniform: {
    readonly name: string;
    readonly binding: number;
    readonly fields: readonly UniformField[];
  } | null;
  readonly bindGroups: Map<string, GPUBindGroup>;
}

interface UniformField {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
}

/** A step of the largest network here (Inception-ResNet-v2) asks for some thousands. */
const MOST_BIND_GROUPS = 2 ** 15;

/** Pipelines, uniform buffers and bind groups of one device. */
export class KernelCache {
  private readonly device: GPUDevice;
  private readonly watch: Watch;
  private readonly pipelines = new Map<string, Pipeline>();
  /** Pipelines that prepare() waits for. */
  private readonly inFlight = new Map<string, Promise<void>>();
  private closed = false;
  private readonly uniforms = new Map<string, { buffer: GPUBuffer; id: number }>();
  private bindGroups = 0;
  /** At this many all are forgotten. A recorded step keeps its own. */
  bindGroupLimit = MOST_BIND_GROUPS;
  readonly layouts: Layouts;

  constructor(device: GPUDevice, watch: Watch, largestBinding: number) {
    this.device = device;
    this.watch = watch;
    this.layouts = new Layouts(device, largestBinding);
  }

  get pipelineCount(): number {
    return this.pipelines.size;
  }

  has({ key }: Kernel): boolean {
    return this.pipelines.has(key);
  }

  /** Every kernel that has a pipeline, as it is laid out on this device. */
  get compiled(): Kernel[] {
    return [...this.pipelines.values()].map(({ kernel }) => kernel);
  }

  /**
   * Makes the pipelines that these kernels lack, all of them in flight at once. A kernel that is dispatched meanwhile is compiled there and then,
   * and keeps that pipeline. Why one does not compile is heard by the device's faults, as of one that is made at its first use.
   */
  async prepare(kernels: Iterable<Kernel>): Promise<void> {
    const wanted = [...kernels].filter(({ key }) => !this.pipelines.has(key));
    for (const kernel of wanted) {
      if (!this.inFlight.has(kernel.key)) this.inFlight.set(kernel.key, this.arrive(kernel));
    }
    await Promise.all(wanted.map(({ key }) => this.inFlight.get(key)));
  }

  pipeline(kernel: Kernel): Pipeline {
    let pipeline = this.pipelines.get(kernel.key);
    if (!pipeline) {
      pipeline = this.compile(kernel);
      this.pipelines.set(kernel.key, pipeline);
    }
    return pipeline;
  }

  bindGroup(
    kernel: Kernel,
    pipeline: Pipeline,
    bound: Record<string, Bindable>,
    values: Record<string, number>,
  ): GPUBindGroup {
    const uniform =
      pipeline.uniform && Object.keys(values).length > 0 ? this.uniform(kernel, pipeline.uniform.fields, values) : null;
    const roles = Object.keys(bound);
    let key = uniform ? `u${uniform.id}` : '';
    for (const role of roles) {
      const { storage, byteOffset = 0, byteLength } = bound[role];
      key += ` ${storage.id}:${byteOffset}:${byteLength}`;
    }
    let group = pipeline.bindGroups.get(key);
    if (!group) {
      const entries: GPUBindGroupEntry[] = roles.map((role) => {
        const binding = pipeline.bindings.get(role);
        if (binding === undefined) throw new Error(`${kernel.name}: the shader has no binding "${role}".`);
        const size = Math.max(4, bound[role].byteLength);
        return { binding, resource: { buffer: bound[role].storage.buffer, offset: bound[role].byteOffset ?? 0, size } };
      });
      if (uniform) entries.push({ binding: pipeline.uniform!.binding, resource: { buffer: uniform.buffer } });
      // Another network in the same buffers asks for other groups of them, and nobody says when the last one's are done with.
      if (this.bindGroups >= this.bindGroupLimit) this.forgetBindGroups();
      this.bindGroups++;
      group = this.device.createBindGroup({ label: kernel.name, layout: pipeline.layout, entries });
      pipeline.bindGroups.set(key, group);
    }
    return group;
  }

  /** Bind groups keep buffers alive and may name destroyed ones: drop them when the pool is trimmed. */
  forgetBindGroups(): void {
    for (const pipeline of this.pipelines.values()) pipeline.bindGroups.clear();
    this.bindGroups = 0;
  }

  get bindGroupCount(): number {
    return this.bindGroups;
  }

  destroy(): void {
    this.closed = true;
    for (const { buffer } of this.uniforms.values()) buffer.destroy();
    this.uniforms.clear();
    this.pipelines.clear();
  }

  private uniform(kernel: Kernel, fields: readonly UniformField[], values: Record<string, number>) {
    const bytes = new ArrayBuffer(Math.ceil((fields.length * 4) / 16) * 16);
    const view = new DataView(bytes);
    fields.forEach(({ name, type }, i) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${kernel.name}: uniform "${name}" was not given.`);
      if (type === 'f32') view.setFloat32(i * 4, value, true);
      else if (type === 'i32') view.setInt32(i * 4, value, true);
      else view.setUint32(i * 4, value, true);
    });
    const words = new Uint32Array(bytes);
    const key = words.join(',');
    let entry = this.uniforms.get(key);
    if (!entry) {
      const buffer = this.device.createBuffer({ size: bytes.byteLength, usage: 0x40 | 0x08, mappedAtCreation: true }); // UNIFORM | COPY_DST
      new Uint32Array(buffer.getMappedRange()).set(words);
      buffer.unmap();
      entry = { buffer, id: this.uniforms.size };
      this.uniforms.set(key, entry);
    }
    return entry;
  }

  private compile(kernel: Kernel): Pipeline {
    return this.watchShader(kernel, () =>
      this.complete(kernel, this.device.createComputePipeline(this.descriptorOf(kernel))),
    );
  }

  private async arrive(kernel: Kernel): Promise<void> {
    const { key } = kernel;
    try {
      const pipeline = await this.watchShader(kernel, () =>
        this.device.createComputePipelineAsync(this.descriptorOf(kernel)),
      ).catch(() => null);
      // Bind groups belong to the pipeline whose layout they were made for: one that is in use is not replaced.
      if (this.closed || this.pipelines.has(key)) return;
      // What was refused is asked for as dispatch() does, which hears why.
      if (pipeline) this.pipelines.set(key, this.complete(kernel, pipeline));
      else this.pipeline(kernel);
    } finally {
      this.inFlight.delete(key);
    }
  }

  private descriptorOf({ name, code, entryPoint, constants }: Kernel): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ label: name, code });
    return { label: name, layout: 'auto', compute: { module, entryPoint, constants: { ...constants } } };
  }

  private complete(kernel: Kernel, pipeline: GPUComputePipeline): Pipeline {
    const { bindings, uniform } = readDeclarations(kernel.code);
    return { kernel, pipeline, layout: pipeline.getBindGroupLayout(0), bindings, uniform, bindGroups: new Map() };
  }

  private watchShader<T>({ name, key }: Kernel, make: () => T): T {
    return this.watch(['validation', 'internal'], make, (message, adapter) => {
      this.pipelines.delete(key); // the next use says so again
      return new ShaderError(
        `${adapter} does not compile the shader ${name} (${firstLine(message)}); update its driver, or choose another adapter (mtunet devices).`,
      );
    });
  }
}

/** Names and numbers of a shader's bindings, and the fields of its uniform struct, from its text. */
export function readDeclarations(code: string): Pick<Pipeline, 'bindings' | 'uniform'> {
  const bindings = new Map<string, number>();
  let uniform: Pipeline['uniform'] = null;
  for (const match of code.matchAll(/@binding\((\d+)\)\s*var<(uniform|storage)[^>]*>\s*(\w+)\s*:\s*([\w<>, ]+);/g)) {
    const [, number, kind, name, type] = match;
    if (kind === 'storage') {
      bindings.set(name, Number(number));
      continue;
    }
    const body = new RegExp(`struct ${type}\\s*{([^}]*)}`).exec(code)?.[1] ?? '';
    const fields = [...body.matchAll(/(\w+)\s*:\s*(u32|i32|f32)/g)].map(([, field, t]) => ({
      name: field,
      type: t as UniformField['type'],
    }));
    uniform = { name, binding: Number(number), fields };
  }
  return { bindings, uniform };
}

export type Workgroups = readonly [x: number, y?: number, z?: number];

/** Adds one dispatch to the open step. A dispatch with no workgroups is left out. */
export function dispatch(
  gpu: Gpu,
  kernel: Kernel,
  bindings: Record<string, Bindable | null | undefined>,
  uniforms: Record<string, number>,
  workgroups: Workgroups,
): void {
  const [x, y = 1, z = 1] = workgroups;
  if (x === 0 || y === 0 || z === 0) return;
  const limit = gpu.limits.maxComputeWorkgroupsPerDimension;
  if (Math.max(x, y, z) > limit) {
    throw new Error(
      `${kernel.name}: ${x} x ${y} x ${z} workgroups are more than this device's ${limit} along one axis; use a smaller batch or image.`,
    );
  }
  const given: Record<string, Bindable> = {};
  for (const [role, tensor] of Object.entries(bindings)) {
    if (tensor) given[role] = tensor;
  }
  const [chosen, bound] = gpu.kernels.layouts.of(kernel, given);
  if (!gpu.kernels.has(chosen)) gpu.hurry();
  const pipeline = gpu.kernels.pipeline(chosen);
  const bindGroup = gpu.kernels.bindGroup(chosen, pipeline, bound, uniforms);
  gpu.record({ kind: 'dispatch', name: kernel.name, pipeline: pipeline.pipeline, bindGroup, bound, x, y, z });
}

/** Workgroups for `count` items, `perGroup` to a workgroup, spread over x and y: one axis holds 65,535 at most. */
export function linearGroups(count: number, perGroup: number): [number, number] {
  const groups = Math.ceil(count / perGroup);
  if (groups <= 65535) return [groups, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
}

/**
 * Workgroups of a kernel over the planes of N C H W, `x` for each plane: C along y and N along z where both fit, else spread over both axes.
 * The kernel numbers a plane by `id.z * groups.y + id.y`, with `groups` the built-in num_workgroups, and returns for those from N C on.
 */
export function planeGroups(x: number, N: number, C: number): [number, number, number] {
  return Math.max(N, C) <= 65535 ? [x, C, N] : [x, ...linearGroups(N * C, 1)];
}
