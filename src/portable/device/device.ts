/** GPUDevice, as far as the engine uses it. */
import { PortableBuffer } from './buffer.ts';
import { type ErrorKind, type PortableError, Scopes } from './errors.ts';
import { Heap } from './heap.ts';
import { FEATURES, INFO, type Limits } from './limits.ts';
import { type BindGroup, type Bound, type Pipeline, pipeline, shaderModule } from './pipeline.ts';
import { CommandEncoder, Queue } from './queue.ts';

type Listener = (event: { readonly error: PortableError }) => void;

export class PortableDevice {
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  readonly adapterInfo = INFO;
  readonly queue: Queue;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  private readonly heap = new Heap();
  private readonly listeners = new Set<Listener>();
  private readonly scopes = new Scopes((error) => {
    for (const listen of this.listeners) listen({ error });
  });
  private lose: (info: { readonly reason: string; readonly message: string }) => void = () => {};
  private readonly buffers = new Set<PortableBuffer>();

  /** `features`: those that the caller wants. */
  constructor(features: Iterable<string>, limits: Limits) {
    this.limits = limits;
    this.features = new Set(features);
    const unknown = [...this.features].filter((feature) => !FEATURES.includes(feature));
    if (unknown.length > 0) throw new TypeError(`the portable adapter has no ${unknown.join(', ')}`);
    this.queue = new Queue(this.heap, (message) => this.scopes.report('validation', message));
    this.lost = new Promise((resolve) => {
      this.lose = resolve;
    });
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === 'uncapturederror') this.listeners.add(listener);
  }

  removeEventListener(_: string, listener: Listener): void {
    this.listeners.delete(listener);
  }

  pushErrorScope(kind: ErrorKind): void {
    this.scopes.push(kind);
  }

  popErrorScope(): Promise<PortableError | null> {
    return Promise.resolve(this.scopes.pop());
  }

  createBuffer(descriptor: GPUBufferDescriptor): PortableBuffer {
    const { size } = descriptor;
    let address: number | null = null;
    if (size > this.limits.maxBufferSize) {
      this.scopes.report('validation', `a buffer of ${size} bytes is larger than ${this.limits.maxBufferSize}`);
    } else {
      try {
        address = this.heap.take(size);
      } catch (problem) {
        this.scopes.report('out-of-memory', `no memory for ${(problem as Error).message}`);
      }
    }
    const buffer = new PortableBuffer(this.heap, descriptor, address);
    if (address !== null) this.buffers.add(buffer);
    return buffer;
  }

  createShaderModule({ label = '', code }: GPUShaderModuleDescriptor): unknown {
    const made = shaderModule(label, code);
    if (made.problem) this.scopes.report('validation', made.problem);
    return made;
  }

  createComputePipeline(descriptor: GPUComputePipelineDescriptor): Pipeline | { getBindGroupLayout(): null } {
    try {
      return pipeline(this.heap, descriptor, this.limits);
    } catch (problem) {
      this.scopes.report('validation', (problem as Error).message);
      return { getBindGroupLayout: () => null };
    }
  }

  async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor): Promise<Pipeline> {
    return pipeline(this.heap, descriptor, this.limits);
  }

  createBindGroup({ entries }: GPUBindGroupDescriptor): BindGroup {
    const group = new Map<number, Bound>();
    for (const { binding, resource } of entries) {
      const {
        buffer,
        offset = 0,
        size,
      } = resource as unknown as { buffer: PortableBuffer; offset?: number; size?: number };
      group.set(binding, { buffer, offset, size: size ?? buffer.size - offset });
    }
    return group;
  }

  createCommandEncoder(): CommandEncoder {
    return new CommandEncoder(this.queue);
  }

  destroy(): void {
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers.clear();
    this.lose({ reason: 'destroyed', message: 'the device was destroyed' });
  }
}
