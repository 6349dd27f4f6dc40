/**
 * How the threads of the unrolled kernels of processors work together, as text.
 *
 * With subgroups a workgroup is one of them, as wide as a vector of the processor: its lanes compute one tile, each loads its share of the numbers and
 * hands them to the others by subgroupBroadcast, and each has its share of the channels. Without subgroups a thread loads all that it needs itself, so
 * it has a larger share of the channels, and threads beside each other compute other tiles.
 */
export interface Lanes {
  readonly bySubgroups: boolean;
  /** Threads of a workgroup: a vector. */
  readonly threads: number;
  /** Threads that load a tile's numbers together. */
  readonly loaders: number;
  /** Threads among which the channels of a tile are dealt out. */
  readonly shares: number;
  /** Tiles of a workgroup. */
  readonly tiles: number;
  /** Language extensions that the text needs. */
  readonly enable: readonly string[];
  /** The parameter of the entry point. */
  readonly parameter: string;
  /**
   * Statements that name `lane`, the thread's place among the shares, `loader`, its place among the loaders, and `tile`, which of the workgroup's tiles
   * it computes.
   */
  readonly begin: string;
  /** What `name` is in the loader of that number. */
  of(name: string, loader: number): string;
}

/** For devices whose subgroups have `threads` lanes. */
const withSubgroups = (threads: number): Lanes => ({
  bySubgroups: true,
  threads,
  loaders: threads,
  shares: threads,
  tiles: 1,
  enable: ['subgroups'],
  parameter: '@builtin(subgroup_invocation_id) lane : u32',
  begin: 'let loader = lane; let tile = 0u;',
  of: (name, loader) => `subgroupBroadcast(${name}, ${loader}u)`,
});

/** Threads that share eight channels where each loads for itself: with fewer there is more arithmetic to a load, and more text to compile. */
const SHARES = 2;

const without = (threads: number): Lanes => ({
  bySubgroups: false,
  threads,
  loaders: 1,
  shares: SHARES,
  tiles: threads / SHARES,
  enable: [],
  parameter: '@builtin(local_invocation_index) thread : u32',
  begin: `let lane = thread % ${SHARES}u; let loader = 0u; let tile = thread / ${SHARES}u;`,
  of: (name) => name,
});

export const lanesOf = (threads: number, bySubgroups: boolean): Lanes =>
  bySubgroups ? withSubgroups(threads) : without(threads);
