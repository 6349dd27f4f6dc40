/**
 * The ladder that Node climbs down to an adapter: a GPU, a software driver of the system, the embedded software driver.
 * macOS (Metal) and Windows (D3D12) have one rung, the system's; the others are Vulkan's.
 */
import { existsSync } from 'node:fs';
import { embeddedVulkan } from './embedded.ts';
import type { AdapterDescription, FindOptions, Rung } from './host.ts';
import type { SystemDrivers } from './vulkan.ts';

/** A place where an adapter may be found. */
export interface Candidate {
  readonly rung: Exclude<Rung, 'browser' | 'portable'>;
  /** "lavapipe", "SwiftShader", or '' where only the adapter itself will tell. */
  readonly kind: string;
  /** The Vulkan drivers to choose; null outside Linux. */
  manifests(): Promise<readonly string[] | null>;
  readonly source: string;
}

/** What the caller or MTUNET_ADAPTER insists on. */
export interface Wish {
  readonly prefer: 'hardware' | 'software' | 'embedded' | 'portable' | null;
  readonly name: string | null;
  /** How it was said, for messages. */
  readonly said: string;
}

const KINDS = ['hardware', 'software', 'embedded', 'portable'] as const;

/** Options win over MTUNET_ADAPTER, which is a kind of adapter or a part of a name. */
export function wishOf({ prefer, name }: FindOptions, env: NodeJS.ProcessEnv = process.env): Wish {
  if (prefer !== undefined && !KINDS.includes(prefer)) {
    throw new Error(`prefer: "${prefer}" is no kind of adapter; the kinds are ${KINDS.join(', ')}.`);
  }
  if (prefer !== undefined || name !== undefined) {
    const said = [prefer && `prefer: '${prefer}'`, name !== undefined && `name: '${name}'`].filter(Boolean).join(', ');
    return { prefer: prefer ?? null, name: name ?? null, said };
  }
  const asked = env.MTUNET_ADAPTER?.trim();
  if (!asked) return { prefer: null, name: null, said: '' };
  const kind = KINDS.find((known) => known === asked.toLowerCase());
  return { prefer: kind ?? null, name: kind ? null : asked, said: `MTUNET_ADAPTER=${asked}` };
}

/** The rungs of this machine, best first. */
export function candidates(drivers: SystemDrivers): Candidate[] {
  if (process.platform !== 'linux')
    return [{ rung: 'hardware', kind: '', manifests: async () => null, source: 'the operating system' }];
  return [
    ...(drivers.hardware.length
      ? [
          {
            rung: 'hardware' as const,
            kind: '',
            manifests: async () => drivers.hardware,
            source: drivers.hardware.join(':'),
          },
        ]
      : []),
    ...drivers.software.map(({ kind, manifest }) => ({
      rung: 'system-software' as const,
      kind,
      manifests: async () => [manifest],
      source: manifest,
    })),
    {
      rung: 'embedded',
      kind: 'SwiftShader',
      manifests: async () => [(await embeddedVulkan()).manifest],
      source: 'the npm package @sparticuz/chromium',
    },
  ];
}

/** Whether it is of use to look there. */
export function mayFit({ rung }: Candidate, { prefer }: Wish): boolean {
  if (prefer === null) return true;
  if (prefer === 'embedded') return rung === 'embedded';
  if (prefer === 'portable') return false; // it needs no driver
  // A driver that nothing marks as software may turn out to be, and so may the one of macOS or Windows.
  return prefer === 'hardware' ? rung === 'hardware' : true;
}

/** Whether the adapter that was found there is of the wanted kind. */
export function fits(software: boolean, rung: Rung, { prefer }: Wish): boolean {
  if (prefer === null) return true;
  if (prefer === 'embedded' || prefer === 'portable') return rung === prefer;
  return software === (prefer === 'software');
}

/**
 * Toggles for Dawn: those that are asked for, and what it wants before it offers its experiments, such as subgroup matrices. That lets features be
 * asked for and switches none on; no software adapter has them.
 */
export const togglesOf = ({ rung }: Pick<Candidate, 'rung'>, asked: readonly string[]): readonly string[] => [
  ...new Set([...asked, ...(rung === 'hardware' ? ['allow_unsafe_apis'] : [])]),
];

/** How an adapter is told to a reader. */
export function describe(
  { vendor, architecture, device, description, isFallbackAdapter }: GPUAdapterInfo,
  { rung, kind }: Candidate,
  drivers: SystemDrivers,
  wish: Wish,
): AdapterDescription {
  const software = isFallbackAdapter || architecture === 'swiftshader';
  const known = architecture === 'swiftshader' ? 'SwiftShader' : device.startsWith('llvmpipe') ? 'lavapipe' : kind;
  const found = software && rung === 'hardware' ? 'system-software' : rung;
  return {
    // Dawn gives the driver's name for the device in small letters with dashes.
    name: known || device.replace(/-+/g, ' ').trim() || [vendor, architecture].join(' ').trim() || 'unnamed adapter',
    driver: description || vendor || 'unnamed driver',
    backend: { linux: 'Vulkan', darwin: 'Metal', win32: 'D3D12' }[process.platform as string] ?? 'Vulkan',
    software,
    rung: found,
    why: why(found, known, drivers, wish),
  };
}

function why(rung: Rung, kind: string, { hardware, chosenBy }: SystemDrivers, { said }: Wish): string {
  if (said) return `${said} asks for it`;
  if (rung === 'hardware') return 'a GPU is the fastest kind of adapter';
  if (rung === 'embedded') {
    return chosenBy
      ? `the drivers that ${chosenBy} names gave no adapter, so the software driver that comes with npm is used`
      : 'no GPU and no software driver of this system gave an adapter, so the software driver that comes with npm is used';
  }
  if (chosenBy) return `${chosenBy} names its driver`;
  const noGpu = hardware.length ? 'the GPU drivers of this system found no GPU' : 'this system has no GPU driver';
  return `${noGpu}; ${kind === 'lavapipe' ? 'lavapipe is the fastest of the software drivers' : 'this software driver of the system works'}`;
}

const LAVAPIPE =
  "Mesa's lavapipe, version 24 or later (Debian 13, Ubuntu 24.04: apt install mesa-vulkan-drivers; Debian 12: from bookworm-backports)";

/** What would be faster than this adapter, or null. */
export function advice({ software, name }: AdapterDescription, { software: drivers }: SystemDrivers): string | null {
  if (!software || process.platform !== 'linux') return null;
  const gpu = noGpuBecause();
  if (name !== 'SwiftShader') return gpu;
  const refused = drivers.some(({ kind }) => kind === 'lavapipe')
    ? 'the lavapipe of this system is too old or does not work; '
    : '';
  return `${gpu ? `${gpu} ` : ''}About five times as fast without a GPU: ${refused}install ${LAVAPIPE}.`;
}

/** A GPU that shows itself without a Vulkan driver, as in a container that was given only half of it. */
export function noGpuBecause(): string | null {
  if (existsSync('/dev/nvidiactl')) {
    return "An NVIDIA GPU is here but its Vulkan driver gives no adapter: in a container, set NVIDIA_DRIVER_CAPABILITIES=all; elsewhere install the driver's Vulkan part.";
  }
  if (existsSync('/dev/dri/renderD128')) {
    return 'A GPU is here but no Vulkan driver gives it: install mesa-vulkan-drivers, and let this user open /dev/dri/renderD128 (group render).';
  }
  return null;
}
