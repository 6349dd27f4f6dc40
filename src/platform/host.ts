/**
 * What the engine may know about the place where it runs.
 *
 * `#gpu-host` is node.ts in Node and browser.ts in a browser (package.json, "imports"); both export the members of `GpuHost`.
 */

/** The steps of the ladder that leads to an adapter, fastest first; a browser chooses by itself and is one step. */
export type Rung = 'hardware' | 'system-software' | 'embedded' | 'portable' | 'browser';

export interface AdapterDescription {
  /** For a reader: "llvmpipe (LLVM 15.0.6, 256 bits)". */
  readonly name: string;
  readonly driver: string;
  /** "Vulkan", "Metal", "D3D12", or the browser's own WebGPU. */
  readonly backend: string;
  /** Whether the shaders run on the CPU. */
  readonly software: boolean;
  readonly rung: Rung;
  /** One sentence: why this adapter and not another. */
  readonly why: string;
}

export interface FindOptions {
  /** Take an adapter of this kind or fail; without it, the fastest that there is. */
  readonly prefer?: 'hardware' | 'software' | 'embedded' | 'portable';
  /** Take an adapter whose name contains this (case does not matter) or fail. */
  readonly name?: string;
  /** Dawn toggles to switch on, such as 'vulkan_enable_f16_on_nvidia'. A browser takes none. */
  readonly toggles?: readonly string[];
}

export interface FoundAdapter {
  /** Fresh: an adapter is consumed by its first requestDevice. */
  readonly adapter: GPUAdapter;
  readonly description: AdapterDescription;
}

/** One line of `mtunet doctor`: an adapter that exists, or a rung that is empty and what would fill it. */
export interface AdapterReport extends AdapterDescription {
  readonly available: boolean;
  /** Whether findAdapter() takes this one. */
  readonly used: boolean;
  /** Where the driver comes from: the path of its manifest, or a word. */
  readonly source: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  /** What to install or set for more speed; null if there is nothing to say. */
  readonly advice: string | null;
}

export interface GpuHost {
  /** "Node v20.20.2", or the browser's user agent. */
  readonly runtime: string;
  findAdapter(options?: FindOptions): Promise<FoundAdapter>;
  /** What of the adapter this process leaves unused: features, or 'limits' (MTUNET_WITHOUT); nothing in a browser. */
  leftUnused(): readonly string[];
  listAdapters(): Promise<AdapterReport[]>;
  /** Awaits what the device will settle, without keeping a core busy with asking, and without waiting longer than it takes. */
  awaitDevice<T>(arriving: Promise<T>, device: GPUDevice): Promise<T>;
}

/** The limits that decide what the engine can run; the others are the same almost everywhere. */
export const TELLING_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

export function tellingLimits(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(TELLING_LIMITS.map((limit) => [limit, limits[limit]]));
}
