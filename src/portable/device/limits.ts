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

export type Limits = Readonly<Record<keyof typeof LIMITS, number>>;

/** What a device has that asks for nothing more: the defaults of the specification, where the adapter offers more than them. */
const DEFAULTS: Partial<Limits> = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
};

/** The limits of a device. Throws where more is asked for than the adapter offers. */
export function limitsOf(required: Readonly<Record<string, number | undefined>> = {}): Limits {
  const limits: Record<string, number> = { ...LIMITS, ...DEFAULTS };
  for (const [name, wanted] of Object.entries(required)) {
    if (wanted === undefined) continue;
    if (!(name in LIMITS)) throw new TypeError(`the portable adapter knows no limit ${name}`);
    const offered = LIMITS[name as keyof typeof LIMITS];
    // An alignment is better when it is smaller.
    const least = name.startsWith('min');
    if (least ? wanted < offered : wanted > offered)
      throw new TypeError(`the portable adapter offers ${name} ${offered}, and ${wanted} was asked for`);
    limits[name] = least ? Math.min(limits[name], wanted) : Math.max(limits[name], wanted);
  }
  return limits as Limits;
}

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
