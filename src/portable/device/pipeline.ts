/** Shader modules, compute pipelines and bind groups. */
import { type Compiled, compile, parsed } from '../code/module.ts';
import type { Module } from '../syntax/tree.ts';
import type { PortableBuffer } from './buffer.ts';
import type { Heap } from './heap.ts';
import type { Limits } from './limits.ts';

/** What a shader module holds: its tree, or why there is none. */
export interface ShaderModule {
  readonly label: string;
  readonly module: Module | null;
  readonly problem: string | null;
}

export interface Bound {
  readonly buffer: PortableBuffer;
  readonly offset: number;
  readonly size: number;
}

export type BindGroup = ReadonlyMap<number, Bound>;

type Run = (parameters: number, scratch: number, x: number, y: number, z: number) => void;

export class Pipeline {
  readonly label: string;
  readonly compiled: Compiled;
  readonly run: Run;

  constructor(heap: Heap, label: string, compiled: Compiled) {
    this.label = label;
    this.compiled = compiled;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(compiled.bytes), { m: { m: heap.memory } });
    this.run = exports[0] as Run;
  }

  getBindGroupLayout(group: number): unknown {
    if (group !== 0) throw new RangeError('there is one bind group, 0');
    return this;
  }
}

export function shaderModule(label: string, code: string): ShaderModule {
  try {
    return { label, module: parsed(code), problem: null };
  } catch (problem) {
    return { label, module: null, problem: (problem as Error).message };
  }
}

/** Throws why it cannot be made. */
export function pipeline(heap: Heap, { label = '', compute }: GPUComputePipelineDescriptor, limits: Limits): Pipeline {
  const { module, problem } = compute.module as unknown as ShaderModule;
  if (!module) throw new Error(problem ?? 'the shader module is invalid');
  const entryPoints = [...module.functions.values()].filter(({ attributes }) => attributes.has('compute'));
  const entryPoint = compute.entryPoint ?? (entryPoints.length === 1 ? entryPoints[0].name : '');
  const made = compile(module, entryPoint, { ...compute.constants });
  const [x, y, z] = made.workgroupSize;
  if (x * y * z > limits.maxComputeInvocationsPerWorkgroup || x > limits.maxComputeWorkgroupSizeX) {
    throw new Error(
      `a workgroup of ${x} x ${y} x ${z} invocations is more than ${limits.maxComputeInvocationsPerWorkgroup}`,
    );
  }
  if (made.workgroupBytes > limits.maxComputeWorkgroupStorageSize) {
    throw new Error(
      `${made.workgroupBytes} bytes of workgroup memory are more than ${limits.maxComputeWorkgroupStorageSize}`,
    );
  }
  const storage = made.bindings.filter(({ space }) => space === 'storage').length;
  if (storage > limits.maxStorageBuffersPerShaderStage) {
    throw new Error(`${storage} storage buffers are more than ${limits.maxStorageBuffersPerShaderStage}`);
  }
  return new Pipeline(heap, label, made);
}

/** Throws what is missing or too small. */
export function checkBindings({ compiled, label }: Pipeline, group: BindGroup): void {
  for (const { binding, least } of compiled.bindings) {
    const bound = group.get(binding);
    if (!bound) throw new Error(`${label}: nothing is bound to ${binding}`);
    if (bound.size < least)
      throw new Error(`${label}: binding ${binding} has ${bound.size} bytes and needs ${least} at least`);
    if (bound.offset + bound.size > bound.buffer.size)
      throw new Error(`${label}: binding ${binding} reaches beyond its buffer`);
  }
}
