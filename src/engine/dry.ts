/**
 * A Gpu that computes nothing and needs no adapter: shapes are checked, memory is counted, commands go nowhere, and every number that is
 * read is 0. It tells what a network holds, multiplies and needs before anyone waits for it, and which kernels it is computed with
 * (`kernels.compiled`).
 */
import type { AdapterDescription } from '#gpu-host';
import { Gpu } from './gpu.ts';

export interface DryOptions {
  /** Largest buffer that can be bound at once. */
  readonly largestBinding?: number;
  /** Decides as this device does: by its limits, features and kind, and by what is pinned there now. Asks the same kernels of the same work. */
  readonly like?: Gpu;
}

export function dryGpu({
  like,
  largestBinding = like?.kernels.layouts.largestBinding ?? Number.MAX_SAFE_INTEGER,
}: DryOptions = {}): Gpu {
  const limits = like?.limits ?? {
    maxBufferSize: largestBinding,
    maxStorageBufferBindingSize: largestBinding,
    maxComputeWorkgroupsPerDimension: 65535,
    maxComputeWorkgroupStorageSize: 16384,
    maxStorageBuffersPerShaderStage: 8,
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
  const pipeline = { getBindGroupLayout: () => ({}) };
  const encoder = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: () => ({}) };
  const device = {
    limits,
    features: like?.features ?? new Set<string>(),
    adapterInfo: like?.device.adapterInfo ?? {},
    lost: new Promise(nothing),
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: async () => {} },
    createBuffer: buffer,
    createBindGroup: () => ({}),
    createShaderModule: () => ({}),
    createComputePipeline: () => pipeline,
    createComputePipelineAsync: async () => pipeline,
    createCommandEncoder: () => encoder,
    destroy: nothing,
  };
  const gpu = new Gpu(device as unknown as GPUDevice, like?.description ?? nothingComputed, largestBinding);
  if (like) {
    gpu.choices.follow(like.choices);
    gpu.fuses = like.fuses;
  }
  return gpu;
}

const nothingComputed: AdapterDescription = {
  name: 'no adapter',
  driver: '',
  backend: '',
  software: false,
  rung: 'hardware',
  why: 'nothing is computed',
};
