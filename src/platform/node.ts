/**
 * The adapter in Node: Dawn, from the package `webgpu`, on the first rung of the ladder that holds.
 *
 * - `MTUNET_ADAPTER` = hardware | software | embedded | portable | a part of a name: this adapter or none.
 * - `VK_DRIVER_FILES`, `VK_ICD_FILENAMES`: the Vulkan drivers that count as the system's.
 * - `MTUNET_THREADS`: how many processor threads a software adapter computes with.
 * - `MTUNET_CACHE`: where embedded files are unpacked. `MTUNET_NO_SYSTEM_VULKAN=1`: do as if the system had no libvulkan.so.1.
 */
import { adapterNames, open, request } from './dawn.ts';
import type { AdapterDescription, AdapterReport, FindOptions, FoundAdapter, GpuHost } from './host.ts';
import {
  advice,
  type Candidate,
  candidates,
  describe,
  fits,
  mayFit,
  noGpuBecause,
  type Wish,
  wishOf,
} from './ladder.ts';
import { isPortable, portable, portableReport } from './portable.ts';
import { probe } from './probe.ts';
import { limitLavapipe, limitSwiftShader, threadsWanted } from './threads.ts';
import { systemDrivers } from './vulkan.ts';
import { awaitDevice } from './waiting.ts';

export type * from './host.ts';
export { awaitDevice };

export const runtime: string = `Node ${process.version}`;

const found = new Map<string, { gpu: GPU; kind: string; description: AdapterDescription }>();
let turn: Promise<unknown> = Promise.resolve();

/** The fastest adapter of this machine, or the one that is asked for. Rejects with a sentence if it is not to be had. */
export function findAdapter(options: FindOptions = {}): Promise<FoundAdapter> {
  // One at a time: choosing a driver changes the environment for a moment.
  const mine = turn.then(() => find(options));
  turn = mine.catch(() => {});
  return mine;
}

async function find(options: FindOptions): Promise<FoundAdapter> {
  const wish = wishOf(options);
  if (isPortable(wish)) return portable(wish.said);
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES } = process.env;
  const key = JSON.stringify([wish, options.toggles, VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES]);
  const before = found.get(key);
  const again = before && (await request(before.gpu));
  if (before && again) return { adapter: limited(again, before.kind), description: before.description };

  limitLavapipe(threadsWanted());
  const drivers = systemDrivers();
  const problems: string[] = [];
  const names: string[] = [];
  for (const candidate of candidates(drivers)) {
    if (!mayFit(candidate, wish)) continue;
    try {
      const exactName = wish.name === null ? undefined : await matching(candidate, wish.name, names);
      if (exactName === null) continue;
      const opened = await open(candidate, options.toggles ?? [], exactName);
      if (!opened) continue;
      const description = describe(opened.adapter.info, candidate, drivers, wish);
      names.push(description.name);
      if (!fits(description.software, description.rung, wish)) continue;
      found.set(key, { gpu: opened.gpu, kind: candidate.kind, description });
      return { adapter: limited(opened.adapter, candidate.kind), description };
    } catch (problem) {
      problems.push((problem as Error).message);
    }
  }
  throw new Error(refusal(wish, [...new Set(names)], problems));
}

function limited(adapter: GPUAdapter, kind: string): GPUAdapter {
  if (kind === 'SwiftShader') limitSwiftShader(threadsWanted(), adapter);
  return adapter;
}

/** The full name of the candidate's adapter that the wish means; undefined for its only one, null for none. */
async function matching(candidate: Candidate, wanted: string, seen: string[]): Promise<string | undefined | null> {
  const part = wanted.toLowerCase();
  const names = await adapterNames(candidate);
  const match = names.find((name) => name.toLowerCase().includes(part));
  if (match !== undefined) return match;
  seen.push(...names);
  return names.length > 0 && candidate.kind.toLowerCase().includes(part) ? undefined : null;
}

function refusal({ prefer, name, said }: Wish, names: string[], problems: string[]): string {
  const also = problems.length ? ` (${problems.join(' ')})` : '';
  const otherwise = said.startsWith('MTUNET_ADAPTER') ? 'unset MTUNET_ADAPTER' : 'leave the choice open';
  if (name !== null) {
    const offer = names.length
      ? `this machine has ${names.map((known) => `"${known}"`).join(', ')}`
      : 'this machine has no adapter at all';
    return `${said}: no adapter's name contains "${name}"; ${offer}. Name one of these, or ${otherwise}.${also}`;
  }
  if (prefer === 'hardware') {
    return `${said}: no GPU was found. ${noGpuBecause() ?? "Install the GPU's Vulkan driver."} Or ${otherwise} to compute on the CPU.${also}`;
  }
  if (prefer === 'embedded') {
    return `${said}: the embedded software adapter is not to be had; ${otherwise} to use the system's.${also}`;
  }
  if (prefer === 'software') {
    return `${said}: this system has no software adapter; ${otherwise} to use ${names.length ? `"${names[0]}"` : 'whatever there is'}.${also}`;
  }
  return `No WebGPU adapter was found: install a Vulkan driver (a GPU's, or mesa-vulkan-drivers from Mesa 24 on).${also}`;
}

/**
 * Every adapter of this machine and every rung without one, best first. Each driver is tried in a process of its own, so that one
 * that hangs or crashes shows as a line in the list.
 */
export async function listAdapters(): Promise<AdapterReport[]> {
  const drivers = systemDrivers();
  const wish = wishOf({});
  const all = candidates(drivers);
  const reports = (await Promise.all(all.map((candidate) => probe(candidate, drivers)))).flat();
  if (!reports.some(({ rung }) => rung === 'hardware')) reports.unshift(noHardware());

  reports.push(await portableReport(isPortable(wish) ? wish.said : null));

  const part = wish.name?.toLowerCase() ?? '';
  const used = reports.find(
    ({ available, software, rung, name, driver }) =>
      available &&
      fits(software, rung, wish) &&
      (rung !== 'portable' || isPortable(wish)) &&
      `${name} ${driver}`.toLowerCase().includes(part),
  );
  return reports.map((report) => {
    if (!report.available) return report;
    if (report !== used)
      return report.rung === 'portable'
        ? report
        : { ...report, why: used ? `${used.name} comes before it` : `${wish.said} asks for another` };
    return { ...report, used: true, advice: advice(report, drivers) };
  });

  function noHardware(): AdapterReport {
    return {
      name: 'GPU',
      driver: '',
      backend: 'Vulkan',
      software: false,
      rung: 'hardware',
      why: drivers.chosenBy
        ? `${drivers.chosenBy} names no driver of a GPU`
        : 'this system has no Vulkan driver of a GPU',
      available: false,
      used: false,
      source: '',
      limits: {},
      features: [],
      advice: noGpuBecause(),
    };
  }
}

/** MTUNET_WITHOUT=subgroups,shader-f16,limits */
export const leftUnused = (): readonly string[] =>
  (process.env.MTUNET_WITHOUT ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

({ runtime, findAdapter, listAdapters, leftUnused, awaitDevice }) satisfies GpuHost;
