/** Dawn in this process: making instances, asking them for adapters, and keeping them alive. */
import { type Candidate, togglesOf } from './ladder.ts';
import { ensureLoader, withDrivers } from './vulkan.ts';

type Dawn = typeof import('webgpu');

// WebGPU's constants (GPUBufferUsage and the like) are wanted by modules as they load, so this one waits for Dawn. Where Dawn does not
// exist, the failure is told only to those who ask for an adapter: help texts and reports work without one.
const dawn: Dawn | Error = await import('webgpu').catch((problem: Error) => problem);
if (!(dawn instanceof Error)) Object.assign(globalThis, dawn.globals);

// A collected create() object takes its living devices with it, by SIGSEGV: all stay reachable for as long as the process lives.
const PINNED = Symbol.for('mtunet.gpus');
const pinned = globalThis as { [PINNED]?: GPU[] };

export interface Opened {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
}

/** The best adapter of a candidate, or the one with exactly this Vulkan name; null if there is none. */
export async function open(
  candidate: Candidate,
  toggles: readonly string[],
  exactName?: string,
): Promise<Opened | null> {
  const enabled = togglesOf(candidate, toggles);
  const flags = [
    ...(enabled.length ? [`enable-dawn-features=${enabled.join(',')}`] : []),
    ...(exactName === undefined ? [] : [`adapter=${exactName}`]),
  ];
  return withCandidate(candidate, async () => {
    const gpu = create(flags);
    const adapter = await request(gpu);
    return adapter && { gpu, adapter };
  });
}

/** Another adapter of an instance that has given one before: each serves one device only. */
export async function request(gpu: GPU): Promise<GPUAdapter | null> {
  return (
    (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ??
    (await gpu.requestAdapter({ forceFallbackAdapter: true }))
  );
}

/** The names of a candidate's adapters, as the drivers spell them. Dawn lists them when asked for a name that no adapter has. */
export async function adapterNames(candidate: Candidate): Promise<string[]> {
  return withCandidate(candidate, async () => {
    try {
      await create([`adapter=${NOBODY}`]).requestAdapter();
    } catch (problem) {
      const listing = String((problem as Error).message ?? problem);
      return [...new Set([...listing.matchAll(NAMES)].map(([, name]) => name))];
    }
    return [];
  });
}

export const NOBODY = 'an adapter of this name does not exist';
export const NAMES = /backend: '(?!null)[^']*', name: '(.*)'$/gm;

function create(flags: string[]): GPU {
  if (dawn instanceof Error) {
    throw new Error(
      `WebGPU cannot be loaded here (${process.platform} ${process.arch}, Node ${process.version}): ${dawn.message.split('\n', 1)[0]}`,
      { cause: dawn },
    );
  }
  const gpu = dawn.create(flags);
  pinned[PINNED] ??= [];
  pinned[PINNED].push(gpu);
  return gpu;
}

async function withCandidate<T>(candidate: Candidate, use: () => Promise<T>): Promise<T> {
  const manifests = await candidate.manifests();
  if (manifests === null) return use();
  await ensureLoader();
  return withDrivers(manifests, use);
}
