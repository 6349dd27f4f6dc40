/** The portable adapter: WebGPU's compute part in software, by compiling WGSL to WebAssembly. */
import { PortableDevice } from './device/device.ts';
import { FEATURES, INFO, LIMITS, limitsOf } from './device/limits.ts';

/** Whether this runtime has what compiled kernels need: WebAssembly with 128-bit vectors. */
export function isSupported(): boolean {
  // () -> v128: v128.const 0
  const header = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12];
  const probe = [...header, ...Array<number>(16).fill(0), 11];
  return typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(probe));
}

export function portableAdapter(): GPUAdapter {
  return {
    features: new Set(FEATURES),
    limits: LIMITS,
    info: INFO,
    requestDevice: async ({ requiredFeatures = [], requiredLimits }: GPUDeviceDescriptor = {}) =>
      new PortableDevice(requiredFeatures, limitsOf(requiredLimits)),
  } as unknown as GPUAdapter;
}
