/** Where the tests can run: Node's Dawn on each adapter, Deno, Firefox, Chromium. What is missing says how to install it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LaunchOptions } from 'puppeteer-core';
import { listAdapters } from '#gpu-host';
import { findChromium } from '../../src/platform/chromium.ts';
import { cacheFolder } from '../../src/platform/unpack.ts';
import type { Target } from './bundle.ts';
import type { Outcome } from './entry.ts';
import { runInPage } from './page.ts';
import { runInProcess } from './process.ts';

export interface Place {
  readonly implementation: string;
  readonly target: Target;
  /** The folder of the bundle, and where progress goes. */
  readonly run: (folder: string, tell: (line: string) => void) => Promise<Outcome>;
}

/** An implementation that this machine lacks. */
export interface Missing {
  readonly implementation: string;
  readonly why: string;
}

/** The version whose figures stand in docs/guides/gpus-and-drivers.md. */
const DENO = '2.9.6';

const LAVAPIPE = /llvmpipe|lavapipe/i;

export async function findPlaces(): Promise<(Place | Missing)[]> {
  const adapters = (await listAdapters()).filter(({ available }) => available);
  // One row for an adapter that two drivers' manifests lead to.
  const names = [...new Set(adapters.map(({ name }) => name))];
  const dawn: (Place | Missing)[] = names.map((name) => ({
    implementation: name === 'portable' ? 'portable' : 'Dawn',
    target: 'node',
    run: (folder, tell) => runInProcess(process.execPath, [], folder, { MTUNET_ADAPTER: name }, tell),
  }));
  if (!adapters.some(({ name, driver }) => LAVAPIPE.test(`${name} ${driver}`)))
    dawn.push({
      implementation: 'Dawn with lavapipe',
      why: 'this system has no lavapipe that Dawn accepts: install mesa-vulkan-drivers from Mesa 24 on',
    });
  return [...dawn, await deno(), ...(await browsers()).map(inPage)];
}

async function deno(): Promise<Place | Missing> {
  const implementation = 'Deno';
  const folder = join(cacheFolder(), `deno-${DENO}`);
  /** npm installs the one package of this platform. */
  const program = () => {
    const packages = join(folder, 'node_modules', '@deno');
    if (!existsSync(packages)) return undefined;
    const found = readdirSync(packages).flatMap((name) =>
      ['deno', 'deno.exe'].map((file) => join(packages, name, file)),
    );
    return found.find(existsSync);
  };
  try {
    if (!program()) {
      mkdirSync(folder, { recursive: true });
      const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
      await promisify(execFile)(npm, ['install', '--prefix', folder, '--no-save', '--ignore-scripts', `deno@${DENO}`]);
    }
  } catch (problem) {
    const [line] = (problem as Error).message.trim().split('\n').slice(-1);
    return { implementation, why: `npm could not fetch deno@${DENO} (${line}); try again with a network` };
  }
  const path = program();
  if (!path) return { implementation, why: `deno@${DENO} has no program for ${process.platform} ${process.arch}` };
  return {
    implementation,
    target: 'runtime',
    run: (bundle, tell) => runInProcess(path, ['run', '-A', '--unstable-webgpu'], bundle, {}, tell),
  };
}

const FIREFOX = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/** Without these Firefox has no WebGPU on Linux, or none on a software driver. */
const PREFERENCES = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
};

/** How a browser is launched. */
export interface Launch {
  readonly implementation: string;
  readonly options: LaunchOptions;
}

/** The browsers of this machine. */
export const browsers = async (): Promise<(Launch | Missing)[]> => [firefox(), await chromium()];

const inPage = (found: Launch | Missing): Place | Missing =>
  'why' in found
    ? found
    : {
        implementation: found.implementation,
        target: 'page',
        run: (folder, tell) => runInPage(found.options, folder, tell),
      };

function firefox(): Launch | Missing {
  const implementation = 'Firefox';
  const executablePath = process.env.FIREFOX_PATH ?? FIREFOX.find(existsSync);
  if (!executablePath || !existsSync(executablePath))
    return {
      implementation,
      why: executablePath
        ? `FIREFOX_PATH names ${executablePath}, which does not exist; correct or unset it`
        : 'no Firefox was found: install it (Debian: apt-get install firefox-esr), or name one in FIREFOX_PATH',
    };
  return { implementation, options: { browser: 'firefox', executablePath, extraPrefsFirefox: PREFERENCES } };
}

async function chromium(): Promise<Launch | Missing> {
  const implementation = 'Chromium';
  try {
    const { executablePath, env, args } = await findChromium();
    return { implementation, options: { browser: 'chrome', executablePath, env, args: [...args] } };
  } catch (problem) {
    return { implementation, why: (problem as Error).message };
  }
}
