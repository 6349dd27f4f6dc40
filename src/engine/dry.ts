/**
 * A Gpu that computes nothing and needs no adapter: shapes are checked, memory is counted, commands go nowhere, and every number that is
 * read is 0. It tells what a network holds, multiplies and needs before anyone waits for it.
 */
import { Gpu } from './gpu.ts';

export interface DryOptions {
  /** Largest buffer that can be bound at once. */
  readonly largestBinding?: number;
}

export function dryGpu({ largestBinding = Number.MAX_SAFE_INTEGER }: DryOptions = {}): Gpu {
  const limits = {
    maxBufferSize: largestBinding,
    maxStorageBufferBindingSize: largestBinding,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  const nothing = () => {};
  const buffer = ({ size }: GPUBufferDescriptor) => ({
    size,
    destroy: nothing,
    unmap: nothing,
    mapAsync: async () => {},
    getMappedRange: () => new ArrayBuffer(size),
  });
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: () => ({}) };
  const device = {
    limits,
    features: new Set<string>(),
    adapterInfo: {},
    lost: new Promise(nothing),
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: async () => {} },
    createBuffer: buffer,
    createBindGroup: () => ({}),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
    createCommandEncoder: () => encoder,
    destroy: nothing,
  };
  return new Gpu(device as unknown as GPUDevice, {
    name: 'no adapter',
    driver: '',
    backend: '',
    software: false,
    rung: 'hardware',
    why: 'nothing is computed',
  });
}
