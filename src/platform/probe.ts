/** Looks at a candidate's adapters in a process of its own: a driver may hang or crash, and the asker should live to tell. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { NAMES, NOBODY } from './dawn.ts';
import { type AdapterReport, TELLING_LIMITS } from './host.ts';
import { type Candidate, describe, noGpuBecause } from './ladder.ts';
import { choosing, ensureLoader, LIBRARY_FLAGS, type SystemDrivers } from './vulkan.ts';

const TIMEOUT_MS = 20_000;

interface Seen {
  readonly info: GPUAdapterInfo;
  readonly limits: Record<string, number>;
  readonly features: string[];
}

/**
 * The child's program. It is text because Node 20 cannot run a TypeScript file, and this module is one in tests.
 * It prints what it saw as its last line, and exits without tearing the driver down.
 */
const PROGRAM = `
  const { webgpu, loader, flags, nobody, names, limits } = JSON.parse(process.argv[1]);
  // Node reports a library that is no addon as a failure after loading it.
  if (loader) try { process.dlopen({ exports: {} }, loader, flags); } catch {}
  const { create } = await import(webgpu);
  const kept = [];
  const adapters = [];
  async function look(choice, options) {
    const gpu = create(choice);
    kept.push(gpu);
    const adapter = await gpu.requestAdapter(options);
    if (!adapter) return false;
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
    adapters.push({
      info: { vendor, architecture, device, description, isFallbackAdapter },
      limits: Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]])),
      features: [...adapter.features].sort(),
    });
    return true;
  }
  (await look([], { powerPreference: 'high-performance' })) || (await look([], { forceFallbackAdapter: true }));
  let listing = '';
  if (adapters.length) try { await look(['adapter=' + nobody], {}); } catch (problem) { listing = String(problem.message ?? problem); }
  const all = new Set([...listing.matchAll(new RegExp(names, 'gm'))].map((found) => found[1]));
  if (all.size > 1) for (const name of all) await look(['adapter=' + name], {});
  process.stdout.write('\\n' + JSON.stringify(adapters) + '\\n', () => process.exit(0));
`;

async function look(candidate: Candidate): Promise<Seen[]> {
  const manifests = await candidate.manifests();
  const loader = manifests && (await ensureLoader());
  const task = {
    webgpu: pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href,
    loader,
    flags: LIBRARY_FLAGS,
    nobody: NOBODY,
    names: NAMES.source,
    limits: TELLING_LIMITS,
  };
  const env = { ...process.env, ...(manifests && choosing(manifests)) };
  return new Promise((resolve, reject) => {
    const options = { env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' as const, maxBuffer: 2 ** 24 };
    execFile(
      process.execPath,
      ['--input-type=module', '-e', PROGRAM, JSON.stringify(task)],
      options,
      (failure, output, complaints) => {
        const last = output.trim().split('\n').pop() ?? '';
        if (!failure && last) return resolve(JSON.parse(last));
        const { killed, signal } = failure ?? {};
        const said = complaints.match(/^\w*Error: .*$/m)?.[0];
        reject(
          new Error(
            killed
              ? `it gave no answer within ${TIMEOUT_MS / 1000} s`
              : signal
                ? `it crashed (${signal})`
                : (said ?? 'it failed'),
          ),
        );
      },
    );
  });
}

/** One report for each adapter of the candidate, or one that says why it has none. */
export async function probe(candidate: Candidate, drivers: SystemDrivers): Promise<AdapterReport[]> {
  let problem = '';
  try {
    const seen = await look(candidate);
    const reports = seen.map(({ info, limits, features }) => ({
      ...describe(info, candidate, drivers, { prefer: null, name: null, said: '' }),
      available: true,
      used: false,
      source: candidate.source,
      limits,
      features,
      advice: null,
    }));
    // The default adapter is seen twice where there are several.
    const distinct = reports.filter(
      (report, i) => reports.findIndex(({ name, driver }) => name === report.name && driver === report.driver) === i,
    );
    if (distinct.length) return distinct;
    problem = 'it offers no adapter that Dawn accepts';
  } catch (failure) {
    problem = (failure as Error).message;
  }
  return [
    {
      name: candidate.kind || 'GPU',
      driver: '',
      backend: 'Vulkan',
      software: candidate.rung !== 'hardware',
      rung: candidate.rung,
      why: problem,
      available: false,
      used: false,
      source: candidate.source,
      limits: {},
      features: [],
      advice:
        candidate.rung === 'hardware'
          ? noGpuBecause()
          : candidate.kind === 'lavapipe'
            ? 'Dawn wants Mesa 24 or later.'
            : null,
    },
  ];
}
