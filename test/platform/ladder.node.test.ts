/** The ladder to an adapter in Node: forced rungs, refusals, a system without libvulkan, a damaged cache. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findAdapter, listAdapters, runtime } from '#gpu-host';
import { fits, togglesOf, wishOf } from '../../src/platform/ladder.ts';
import { systemDrivers } from '../../src/platform/vulkan.ts';
import { COMPUTE, type HostInChild, hostInChild, systemVulkan } from './child.ts';

/** The embedded driver is a Linux x64 program. */
const embeddedRuns = process.platform === 'linux' && process.arch === 'x64';

let host: HostInChild;
let cache: string;

beforeAll(async () => {
  host = await hostInChild();
  cache = await mkdtemp(join(tmpdir(), 'mtunet-cache-'));
});

afterAll(async () => {
  await host?.remove();
  await rm(cache, { recursive: true, force: true });
});

afterEach(() => vi.unstubAllEnvs());

test("Dawn's experiments are open to GPUs alone", () => {
  expect(togglesOf({ rung: 'hardware' }, ['some_toggle'])).toEqual(['some_toggle', 'allow_unsafe_apis']);
  expect(togglesOf({ rung: 'hardware' }, ['allow_unsafe_apis'])).toEqual(['allow_unsafe_apis']);
  expect(togglesOf({ rung: 'system-software' }, [])).toEqual([]);
  expect(togglesOf({ rung: 'embedded' }, ['some_toggle'])).toEqual(['some_toggle']);
});

describe('asking for an adapter', () => {
  test.runIf(embeddedRuns)('the embedded one, by option', async () => {
    const { adapter, description } = await findAdapter({ prefer: 'embedded' });
    expect(description).toMatchObject({ rung: 'embedded', name: 'SwiftShader', backend: 'Vulkan', software: true });
    expect(description.why).toContain("prefer: 'embedded'");
    const device = await adapter.requestDevice();
    device.destroy();
  });

  test.runIf(embeddedRuns)('the embedded one, by MTUNET_ADAPTER and by a part of its name', async () => {
    vi.stubEnv('MTUNET_ADAPTER', 'embedded');
    expect((await findAdapter()).description).toMatchObject({
      rung: 'embedded',
      why: 'MTUNET_ADAPTER=embedded asks for it',
    });
    vi.stubEnv('MTUNET_ADAPTER', 'swiftsh');
    expect((await findAdapter()).description.name).toBe('SwiftShader');
  });

  test('the same one again, which has not been consumed', async () => {
    const first = await findAdapter();
    (await first.adapter.requestDevice()).destroy();
    const second = await findAdapter();
    (await second.adapter.requestDevice()).destroy();
    expect(second.description).toEqual(first.description);
  });

  test('one that is not there is refused in a sentence with the next move', async () => {
    vi.stubEnv('MTUNET_ADAPTER', 'abacus');
    const refusal = findAdapter();
    await expect(refusal).rejects.toThrow(
      /^MTUNET_ADAPTER=abacus: no adapter's name contains "abacus"; this machine has ".+\. Name one of these, or unset/,
    );
    await expect(findAdapter({ prefer: 'quick' as 'hardware' })).rejects.toThrow(
      'the kinds are hardware, software, embedded',
    );
  });

  test('hardware is refused where only software is', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nonexistent/driver.json');
    if (process.platform !== 'linux') return;
    await expect(findAdapter({ prefer: 'hardware' })).rejects.toThrow(
      /^prefer: 'hardware': no GPU was found\. .*leave the choice open/,
    );
  });

  test('the environment stays as it was', async () => {
    const before = { ...process.env };
    await findAdapter();
    expect({ ...process.env, XDG_RUNTIME_DIR: undefined }).toEqual({ ...before, XDG_RUNTIME_DIR: undefined });
  });

  test('software adapters do not pass for hardware', () => {
    expect(fits(true, 'system-software', wishOf({ prefer: 'hardware' }))).toBe(false);
    expect(fits(false, 'hardware', wishOf({ prefer: 'software' }))).toBe(false);
    expect(fits(true, 'embedded', wishOf({ prefer: 'software' }))).toBe(true);
    expect(fits(true, 'embedded', wishOf({}, {}))).toBe(true);
  });
});

test("the user's VK_DRIVER_FILES replaces the drivers of the system", () => {
  const env = { VK_DRIVER_FILES: '/a/nonexistent.json', VK_ICD_FILENAMES: '/b/lvp_icd.json' };
  expect(systemDrivers(env)).toEqual({ hardware: [], software: [], chosenBy: 'VK_DRIVER_FILES' });
});

test('the list has one adapter in use, and it is the one that findAdapter finds', async () => {
  const reports = await listAdapters();
  const used = reports.filter((report) => report.used);
  expect(used).toHaveLength(1);
  expect(used[0].limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
  const { description } = await findAdapter();
  expect(used[0]).toMatchObject({ rung: description.rung, driver: description.driver, software: description.software });
  for (const { why } of reports) expect(why).not.toBe('');
  expect(runtime).toBe(`Node ${process.version}`);
});

test.runIf(process.platform === 'linux')('a driver that cannot be loaded is a line of the list', async () => {
  vi.stubEnv('VK_DRIVER_FILES', join(cache, 'lvp_icd.json'));
  const { writeFile } = await import('node:fs/promises');
  await writeFile(
    join(cache, 'lvp_icd.json'),
    '{"file_format_version":"1.0.0","ICD":{"library_path":"/nonexistent/libvulkan_lvp.so","api_version":"1.3.0"}}',
  );
  const broken = (await listAdapters()).find(({ rung }) => rung === 'system-software');
  expect(broken).toMatchObject({ available: false, used: false, name: 'lavapipe' });
});

describe.runIf(embeddedRuns)('a system without libvulkan.so.1', () => {
  test('computes with the embedded loader and driver', async () => {
    const { code, output, complaints } = await host.run(COMPUTE, {
      env: { MTUNET_NO_SYSTEM_VULKAN: '1', MTUNET_CACHE: cache, MTUNET_ADAPTER: 'embedded' },
    });
    expect(code, complaints).toBe(0);
    const { squared, rung, loader } = JSON.parse(output);
    expect({ squared, rung }).toEqual({ squared: 144, rung: 'embedded' });
    expect(loader.startsWith(cache)).toBe(true);
  });

  const library = systemVulkan();
  // Bound over by an empty file, in a mount namespace of the child's own, the library cannot be loaded by anyone there.
  const hidden = library ? ['unshare', '-rm', 'sh', '-c', `mount --bind /dev/null ${library} && exec "$@"`, 'sh'] : [];
  const canHide = !library || spawnSync(hidden[0], [...hidden.slice(1), 'true']).status === 0;

  test.runIf(canHide)('computes, when the library is truly hidden or absent', async () => {
    const { code, output, complaints } = await host.run(COMPUTE, {
      env: { MTUNET_CACHE: cache, MTUNET_ADAPTER: 'embedded' },
      through: hidden,
    });
    expect(code, complaints).toBe(0);
    const { squared, rung, loader } = JSON.parse(output);
    expect({ squared, rung }).toEqual({ squared: 144, rung: 'embedded' });
    expect(loader.startsWith(cache)).toBe(true);
  });
});

describe('a process that has used the adapter ends as it says', () => {
  const cases = {
    'with a living device': { end: '', code: 0 },
    'after destroying its device': { end: 'device.destroy();', code: 0 },
    'by process.exit': { end: 'process.exit(7);', code: 7 },
    'by process.exit with work under way': {
      end: 'device.queue.submit([device.createCommandEncoder().finish()]); process.exit(7);',
      code: 7,
    },
    'by an error': { end: 'throw new Error("an error");', code: 1 },
    'by an unhandled rejection': {
      end: 'void Promise.reject(new Error("a rejection")); await new Promise((soon) => setTimeout(soon, 1000));',
      code: 1,
    },
    'after its objects were collected': {
      end: 'for (let i = 0; i < 5; i++) { await new Promise((soon) => setTimeout(soon, 20)); gc(); }',
      code: 0,
    },
    'with a second device': {
      end: 'globalThis.second = await (await findAdapter()).adapter.requestDevice();',
      code: 0,
    },
  };
  for (const [name, { end, code: expected }] of Object.entries(cases)) {
    test(name, async () => {
      const { code, signal, complaints } = await host.run(COMPUTE + end, { nodeOptions: ['--expose-gc'] });
      expect({ code, signal }, complaints).toEqual({ code: expected, signal: null });
    });
  }

  test('by SIGTERM', async () => {
    const { signal } = await host.run(
      `${COMPUTE} process.kill(process.pid, 'SIGTERM'); await new Promise((soon) => setTimeout(soon, 5000));`,
    );
    expect(signal).toBe('SIGTERM');
  });
});
