/** What the adapter offers: WebGPU's names. */
export const LIMITS = {
  maxBindGroups: 1,
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 31,
  maxUniformBufferBindingSize: 65536,
  maxStorageBuffersPerShaderStage: 16,
  maxUniformBuffersPerShaderStage: 12,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 1024,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
  minStorageBufferOffsetAlignment: 256,
  minUniformBufferOffsetAlignment: 256,
} as const;

export const FEATURES: readonly string[] = ['subgroups'];

export const INFO = {
  vendor: 'mtunet',
  architecture: 'wasm-simd128',
  device: 'portable',
  description: 'WGSL compiled to WebAssembly',
  subgroupMinSize: 4,
  subgroupMaxSize: 4,
  isFallbackAdapter: true,
} as const;
