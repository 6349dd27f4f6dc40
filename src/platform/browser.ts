/** The adapter in a browser: the one that `navigator.gpu` gives. */

import { askingMeanwhile } from './asking.ts';
import {
  type AdapterDescription,
  type AdapterReport,
  type FindOptions,
  type FoundAdapter,
  type GpuHost,
  tellingLimits,
} from './host.ts';

import { portable } from './portable.ts';

export type * from './host.ts';

export const runtime: string = navigator.userAgent;

/**
 * Firefox asks the device every 100 ms whether it is done, and at each submission (Mozilla bug 1870699). There an empty submission now and then makes it
 * ask sooner; other browsers settle by themselves.
 */
const asksSeldom = /firefox/i.test(navigator.userAgent);
export const awaitDevice = <T>(arriving: Promise<T>, device: GPUDevice): Promise<T> =>
  asksSeldom ? askingMeanwhile(arriving, () => device.queue.submit([])) : arriving;

/** The browser's adapter; `prefer: 'software'` asks for its fallback adapter. Rejects with a sentence if there is none. */
export async function findAdapter({ prefer, name }: FindOptions = {}): Promise<FoundAdapter> {
  if (prefer === 'embedded') {
    throw new Error('The embedded software adapter exists in Node only: in a browser prefer "hardware" or "software".');
  }
  if (prefer === 'portable') return portable("prefer: 'portable'");
  if (!navigator.gpu) throw new Error(globalThis.isSecureContext === false ? INSECURE : NO_WEBGPU);
  const adapter = await navigator.gpu.requestAdapter({
    powerPreference: 'high-performance',
    forceFallbackAdapter: prefer === 'software',
  });
  if (!adapter) throw new Error(prefer === 'software' ? NO_FALLBACK : NO_ADAPTER);

  const description = describe(adapter);
  if (prefer === 'hardware' && description.software) {
    throw new Error(
      `This browser offers only a software adapter, ${description.name}: switch its hardware acceleration on, or do not ask for hardware.`,
    );
  }
  if (name !== undefined && !`${description.name} ${description.driver}`.toLowerCase().includes(name.toLowerCase())) {
    throw new Error(
      `This browser offers the adapter "${description.name}", and no other: "${name}" is not to be had here.`,
    );
  }
  return { adapter, description };
}

/** The one adapter of this browser, or why there is none. */
export async function listAdapters(): Promise<AdapterReport[]> {
  try {
    const { adapter, description } = await findAdapter();
    return [
      {
        ...description,
        available: true,
        used: true,
        source: 'browser',
        limits: tellingLimits(adapter.limits),
        features: [...adapter.features].sort(),
        advice: description.software
          ? "Switch the browser's hardware acceleration on, if this machine has a GPU."
          : null,
      },
    ];
  } catch (problem) {
    const why = (problem as Error).message;
    return [
      {
        name: 'none',
        driver: '',
        backend: 'browser',
        software: false,
        rung: 'browser',
        why,
        available: false,
        used: false,
        source: 'browser',
        limits: {},
        features: [],
        advice: why,
      },
    ];
  }
}

const INSECURE = 'WebGPU needs a secure context: serve this page over https, or from localhost.';
const NO_WEBGPU = 'This browser has no WebGPU: use Chrome or Edge 113, Safari 26, Firefox 141 or later.';
const NO_ADAPTER =
  'This browser has WebGPU but found no adapter: switch its hardware acceleration on, or start Chromium with --enable-unsafe-webgpu.';
const NO_FALLBACK =
  'This browser has no software adapter: start Chromium with --enable-unsafe-webgpu, or do not ask for software.';

/** Names of adapters that run on the processor, for browsers and Deno, which do not always mark them. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

function describe({ info }: GPUAdapter): AdapterDescription {
  // Browsers leave most of these strings empty, against fingerprinting.
  const said = [info.vendor, info.architecture, info.device, info.description].join(' ');
  const software = info.isFallbackAdapter === true || SOFTWARE.test(said);
  // Deno gives numbers in place of names.
  const named = (text: string) => (/^(0x)?[\da-f]*$/i.test(text) ? '' : text);
  return {
    name:
      named(info.device) ||
      [info.vendor, info.architecture].map(named).filter(Boolean).join(' ') ||
      named(info.description) ||
      'unnamed adapter',
    driver: info.description || info.vendor || 'unnamed driver',
    backend: 'browser',
    software,
    rung: 'browser',
    why: `${software ? 'a software adapter, ' : ''}the one that this browser offers`,
  };
}

/** A page says what it leaves unused when it opens the device. */
export const leftUnused = (): readonly string[] => [];

({ runtime, findAdapter, listAdapters, leftUnused, awaitDevice }) satisfies GpuHost;
