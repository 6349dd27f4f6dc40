/**
 * Vulkan on Linux: which drivers the system has, and how to make the Vulkan loader take one of them.
 *
 * The loader reads the environment whenever an instance is made, so a driver is chosen by setting VK_DRIVER_FILES around that moment.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { embeddedVulkan } from './embedded.ts';

export interface SystemDrivers {
  /** Manifests of drivers that are not known to run on the CPU. */
  readonly hardware: readonly string[];
  /** Manifests of software drivers, the fastest first. */
  readonly software: readonly { readonly kind: 'lavapipe' | 'SwiftShader'; readonly manifest: string }[];
  /** The variable by which the user chose these drivers, if so. */
  readonly chosenBy: 'VK_DRIVER_FILES' | 'VK_ICD_FILENAMES' | null;
}

/** Browsers bring SwiftShader along, out of the loader's sight. */
const BROWSER_MANIFESTS = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
].map((folder) => join(folder, 'vk_swiftshader_icd.json'));

/** The drivers that the loader would find, or those that the user's environment names instead. */
export function systemDrivers(env: NodeJS.ProcessEnv = process.env): SystemDrivers {
  const chosenBy = env.VK_DRIVER_FILES ? 'VK_DRIVER_FILES' : env.VK_ICD_FILENAMES ? 'VK_ICD_FILENAMES' : null;
  const places = chosenBy
    ? list(env[chosenBy])
    : [...list(env.VK_ADD_DRIVER_FILES), ...manifestFolders(env), ...BROWSER_MANIFESTS];
  const manifests = [...new Set(places.flatMap(manifestsAt))];
  const sorted = manifests.map((manifest) => ({ kind: kindOf(manifest), manifest }));
  return {
    hardware: sorted.filter(({ kind }) => kind === null).map(({ manifest }) => manifest),
    software: (['lavapipe', 'SwiftShader'] as const).flatMap((kind) =>
      sorted.filter((driver) => driver.kind === kind).map(({ manifest }) => ({ kind, manifest })),
    ),
    chosenBy,
  };
}

/** The folders that the loader searches, in its order, and NixOS's. */
function manifestFolders(env: NodeJS.ProcessEnv): string[] {
  const bases = [
    env.XDG_CONFIG_HOME || join(homedir(), '.config'),
    ...list(env.XDG_CONFIG_DIRS || '/etc/xdg'),
    '/etc',
    env.XDG_DATA_HOME || join(homedir(), '.local', 'share'),
    ...list(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share'),
    '/run/opengl-driver/share',
  ];
  return bases.map((base) => join(base, 'vulkan', 'icd.d'));
}

function list(paths: string | undefined): string[] {
  return (paths ?? '').split(':').filter(Boolean);
}

/** A place is a manifest, a folder of manifests, or nothing. */
function manifestsAt(place: string): string[] {
  try {
    if (!statSync(place).isDirectory()) return [place];
    const names = readdirSync(place).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => join(place, name));
  } catch {
    return [];
  }
}

function kindOf(manifest: string): 'lavapipe' | 'SwiftShader' | null {
  let library = '';
  try {
    library = JSON.parse(readFileSync(manifest, 'utf8')).ICD?.library_path ?? '';
  } catch {
    // The loader will refuse it as well; its name still says where in the ladder it belongs.
  }
  const text = `${manifest} ${library}`;
  if (/swiftshader/i.test(text)) return 'SwiftShader';
  return /lvp|lavapipe/i.test(text) ? 'lavapipe' : null;
}

/** For a library that Node, which takes it for a broken addon, would unload again: 0x1000 is glibc's and musl's RTLD_NODELETE. */
export const LIBRARY_FLAGS =
  process.platform === 'linux' ? constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | 0x1000 : 0;

const LOADER = Symbol.for('mtunet.vulkan-loader');
const loaded = globalThis as { [LOADER]?: Promise<string> };

/**
 * Makes sure that a Vulkan loader is in the process: the system's, else the embedded one, which Dawn then finds by its name.
 * Resolves to the path of the embedded one, or to '' for the system's.
 */
export function ensureLoader(): Promise<string> {
  loaded[LOADER] ??= (async () => {
    // Drivers that know about windows complain at every start if this is missing.
    process.env.XDG_RUNTIME_DIR ||= tmpdir();
    if (!process.env.MTUNET_NO_SYSTEM_VULKAN && load('libvulkan.so.1') === null) return '';
    const { loader } = await embeddedVulkan();
    const problem = load(loader);
    if (problem) throw new Error(`The embedded Vulkan loader could not be loaded: ${problem}`);
    return loader;
  })().catch((problem) => {
    delete loaded[LOADER];
    throw problem;
  });
  return loaded[LOADER];
}

/** Node, Bun and Deno, in this order. */
const NO_ADDON = /did not self-register|napi_register_module_v1|Unable to find register Node-API module/;

/** Loads a library that is no Node addon. The runtime says so after loading it. */
function load(library: string): string | null {
  try {
    process.dlopen({ exports: {} }, library, LIBRARY_FLAGS);
    return null;
  } catch (problem) {
    const { message } = problem as Error;
    return NO_ADDON.test(message) ? null : message;
  }
}

/** The variables that make the loader take these drivers and no others. */
export function choosing(manifests: readonly string[]): Record<string, string> {
  // Older loaders know the second name only.
  return { VK_DRIVER_FILES: manifests.join(':'), VK_ICD_FILENAMES: manifests.join(':') };
}

/** Runs `open` with these drivers chosen, and puts the environment back. */
export async function withDrivers<T>(manifests: readonly string[], open: () => Promise<T>): Promise<T> {
  if (!isMainThread) {
    throw new Error(
      "WebGPU on Linux is opened on Node's main thread: the Vulkan loader does not see the environment of a worker thread.",
    );
  }
  const before = new Map<string, string | undefined>();
  for (const [variable, value] of Object.entries(choosing(manifests))) {
    before.set(variable, process.env[variable]);
    process.env[variable] = value;
  }
  try {
    return await open();
  } finally {
    for (const [variable, value] of before) {
      if (value === undefined) delete process.env[variable];
      else process.env[variable] = value;
    }
  }
}
