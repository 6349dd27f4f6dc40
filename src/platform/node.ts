/** The adapter in Node: Dawn, from the package `webgpu`. */
import { create, globals } from 'webgpu';
import type { AdapterReport, FindOptions, FoundAdapter, GpuHost } from './host.ts';

export type * from './host.ts';

Object.assign(globalThis, globals);

export const runtime: string = `Node ${process.version}`;

// A collected create() object takes its living devices with it, by SIGSEGV: it stays reachable for as long as the process lives.
const PINNED = Symbol.for('mtunet.gpu');
const pinned = globalThis as { [PINNED]?: GPU };

export async function findAdapter(_options: FindOptions = {}): Promise<FoundAdapter> {
  pinned[PINNED] ??= create([]);
  const adapter = await pinned[PINNED].requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('No WebGPU adapter: name a Vulkan driver in VK_DRIVER_FILES.');
  const { info } = adapter;
  return {
    adapter,
    description: {
      name: info.device,
      driver: info.description,
      backend: 'Vulkan',
      software: info.isFallbackAdapter,
      rung: info.isFallbackAdapter ? 'system-software' : 'hardware',
      why: 'the system offers it',
    },
  };
}

export async function listAdapters(): Promise<AdapterReport[]> {
  return [];
}

({ runtime, findAdapter, listAdapters }) satisfies GpuHost;
