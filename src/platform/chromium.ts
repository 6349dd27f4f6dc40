/** A Chromium that computes with WebGPU without a screen or a GPU: the system's, or the headless one that comes with npm. */
import { existsSync } from 'node:fs';
import { embeddedChromium } from './embedded.ts';

export interface Chromium {
  readonly executablePath: string;
  /** The whole environment for the browser process. */
  readonly env: Record<string, string>;
  readonly args: readonly string[];
  /** Where it comes from: "CHROMIUM_PATH", "the system", or the npm package. */
  readonly source: string;
}

const SYSTEM_PATHS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** Without --enable-unsafe-webgpu a software adapter is withheld; without the Vulkan and ANGLE flags a canvas shows nothing. */
const SOFTWARE_WEBGPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];

/** A test browser has nothing to say to the network. */
const QUIET = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Finds a Chromium and what to start it with. $CHROMIUM_PATH is taken at its word; the npm package's is unpacked if the system has none,
 * or if that word is "embedded".
 * Without `webgpu` the browser has no WebGPU adapter, which is how most visitors' problems look.
 */
export async function findChromium({ webgpu = true }: { readonly webgpu?: boolean } = {}): Promise<Chromium> {
  const gpuFlags = process.platform === 'linux' ? SOFTWARE_WEBGPU : ['--enable-unsafe-webgpu'];
  // Chromium's sandbox needs rights that containers rarely give.
  const args = [...(process.platform === 'linux' ? ['--no-sandbox'] : []), ...(webgpu ? gpuFlags : []), ...QUIET];
  const env = inherited();

  const named = process.env.CHROMIUM_PATH;
  if (named && named !== 'embedded') {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, which does not exist; correct or unset it.`);
    return { executablePath: named, env, args, source: 'CHROMIUM_PATH' };
  }
  const system = named ? undefined : SYSTEM_PATHS[process.platform]?.find((path) => existsSync(path));
  if (system) return { executablePath: system, env, args, source: 'the system' };

  const { executablePath, libraries, fonts } = await embeddedChromium().catch((problem: Error) => {
    throw new Error(`No Chromium was found: install chromium or name one in CHROMIUM_PATH. ${problem.message}`, {
      cause: problem,
    });
  });
  const searched = [libraries, env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executablePath,
    env: { ...env, LD_LIBRARY_PATH: searched, FONTCONFIG_FILE: fonts },
    args,
    source: 'the npm package @sparticuz/chromium',
  };
}

/** This process's environment less the choice of Vulkan drivers, which would hide the browser's own. */
function inherited(): Record<string, string> {
  const { VK_DRIVER_FILES: _files, VK_ICD_FILENAMES: _names, VK_ADD_DRIVER_FILES: _added, ...rest } = process.env;
  return Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
