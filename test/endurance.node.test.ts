/**
 * Nothing grows: memory, handles and GPU bytes over many steps of a run, over devices opened and closed, and over the runs of a sweep.
 * The long version (`npm run test:endurance`) has ENDURANCE=2001 steps, 200 devices and 50 runs of the program itself.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { getHeapSnapshot, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadData } from '../src/cli/load-data.ts';
import { RunFolder } from '../src/cli/run-folder.ts';
import { LocalExecutor } from '../src/cli/sweep/local.ts';
import { describeRuns, planSweep } from '../src/cli/sweep/run-description.ts';
import { runSweep } from '../src/cli/sweep/run-sweep.ts';
import { trainRun } from '../src/cli/train-run.ts';
import { add, type Gpu, openGpu, sum, upload } from '../src/engine/index.ts';
import { resolveConfig } from '../src/mtunet/config.ts';
import { SMALL } from './support/command.ts';
import { builtProgram } from './support/program.ts';

const STEPS = Number(process.env.ENDURANCE ?? 60);
const IS_LONG = STEPS > 1000;
const DEVICES = IS_LONG ? 200 : 8;
const RUNS = IS_LONG ? 50 : 12;
const MB = 2 ** 20;

const place = mkdtempSync(join(tmpdir(), 'mtunet-endurance-'));
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const { write } = process.stderr;
beforeAll(() => {
  // A spy would remember every call, and grow.
  process.stderr.write = () => true;
});
afterAll(() => {
  process.stderr.write = write;
  rmSync(place, { recursive: true });
});

interface Sample {
  readonly rss: number;
  readonly heap: number;
  /** Open files; 0 where the system does not tell. */
  readonly files: number;
  readonly handles: number;
}

/** After what is garbage has gone. */
function sample(): Sample {
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const files = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  const handles = process.getActiveResourcesInfo().length;
  return { rss, heap: heapUsed + arrayBuffers, files, handles };
}

/** Samples in the course of each test; the first quarter is warming up. */
const SAMPLES = 20;
const lowest = (series: readonly Sample[]): Sample => {
  const of = (what: keyof Sample) => Math.min(...series.map((one) => one[what]));
  return { rss: of('rss'), heap: of('heap'), files: of('files'), handles: of('handles') };
};

/** The second quarter against the last. What is collected now and then makes teeth, so the lowest values of each count. */
function expectNoGrowth(what: string, series: readonly Sample[]): void {
  const quarter = Math.floor(series.length / 4);
  const [before, after] = [lowest(series.slice(quarter, 2 * quarter)), lowest(series.slice(-quarter))];
  const megabytes = (bytes: number) => (bytes / MB).toFixed(1);
  console.log(
    `${what}: RSS ${megabytes(before.rss)} and ${megabytes(after.rss)} MB, heap ${megabytes(before.heap)} and ${megabytes(after.heap)} MB, open files ${before.files} and ${after.files}, handles ${before.handles} and ${after.handles} (lowest of the second and of the last quarter)`,
  );
  expect(after.files, 'open files').toBeLessThanOrEqual(before.files);
  expect(after.handles, 'active handles').toBeLessThanOrEqual(before.handles);
  // A short run is warming up for all of its time, so that only a long one says much of memory.
  expect(after.heap - before.heap, 'bytes of the heap').toBeLessThan((IS_LONG ? 1 : 3) * MB);
  expect(after.rss - before.rss, 'bytes of memory').toBeLessThan((IS_LONG ? 16 : 100) * MB);
}

/**
 * Bytes of the heap by what they are: what the program made, and what the engine of JavaScript keeps for itself, which is its machine code
 * with the lists that belong to it. That grows for as long as some function is compiled anew.
 */
async function heapByKind(): Promise<{ program: number; machineCode: number }> {
  const { snapshot, nodes } = JSON.parse(await text(getHeapSnapshot()));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, size] = [fields.indexOf('type'), fields.indexOf('self_size')];
  const kinds = { program: 0, machineCode: 0 };
  for (let i = 0; i < nodes.length; i += fields.length) {
    const isCode = ['code', 'hidden'].includes(types[type][nodes[i + type]]);
    kinds[isCode ? 'machineCode' : 'program'] += nodes[i + size];
  }
  return kinds;
}

/** Counts what is made on a device and not destroyed. */
function watched(gpu: Gpu) {
  const made = { buffers: 0, bytes: 0, bindGroups: 0 };
  const { device } = gpu;
  const { createBuffer, createBindGroup } = device;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const { destroy } = buffer;
    made.buffers++;
    made.bytes += descriptor.size;
    buffer.destroy = () => {
      made.buffers--;
      made.bytes -= descriptor.size;
      buffer.destroy = destroy;
      return destroy.call(buffer);
    };
    return buffer;
  };
  device.createBindGroup = (descriptor) => {
    made.bindGroups++;
    return createBindGroup.call(device, descriptor);
  };
  return () => ({ ...gpu.memory(), ...made, pipelines: gpu.kernels.pipelineCount });
}

it(`${STEPS} steps of a run, with its logs and checkpoints`, async () => {
  using gpu = await openGpu();
  const gpuNow = watched(gpu);
  const schedule = { name: 'cosine', earlyStop: STEPS, period: 3 };
  const config = resolveConfig('tiny', { ...SMALL, epochs: STEPS / 3, schedule, scheme: { name: 'mtls1' } });
  const folder = RunFolder.create(join(place, 'run'), config);
  const every = Math.floor(STEPS / SAMPLES);
  const host: Sample[] = [];
  const device: ReturnType<typeof gpuNow>[] = [];
  const never = new AbortController().signal;
  const heaps: ReturnType<typeof heapByKind>[] = [];
  const ended = await trainRun(gpu, folder, loadData(config), never, ({ step }) => {
    // A snapshot takes memory itself: one before the samples that count, one after them.
    if (IS_LONG && (step === 4 * every || step === STEPS)) heaps.push(heapByKind());
    if (step % every !== 0) return;
    host.push(sample());
    device.push(gpuNow());
  });
  expect([ended, folder.steps.length]).toEqual([true, STEPS]);
  console.log(`on the device: ${JSON.stringify(device.at(-1))}`);
  for (const one of device.slice(SAMPLES / 4)) expect(one).toEqual(device.at(-1));
  expectNoGrowth(`${STEPS} steps`, host);
  if (!IS_LONG) return;
  const [before, after] = await Promise.all(heaps);
  const kilobytes = (kind: 'program' | 'machineCode') => ((after[kind] - before[kind]) / 1024).toFixed(0);
  console.log(
    `from step ${4 * every} to ${STEPS} the program's own objects grew by ${kilobytes('program')} kB, the engine's machine code by ${kilobytes('machineCode')} kB`,
  );
  expect(after.program - before.program, "bytes of the program's own objects").toBeLessThan(MB / 8);
});

it(`${DEVICES} devices, opened and closed`, async () => {
  const samples: Sample[] = [];
  const devices: WeakRef<GPUDevice>[] = [];
  for (let i = 1; i <= DEVICES; i++) {
    using gpu = await openGpu();
    const three = await gpu.step(() => sum(add(upload(gpu, 'N', [2], [1, 1]), upload(gpu, 'N', [2], [0, 1]))));
    expect(three).toBe(3);
    devices.push(new WeakRef(gpu.device));
    samples.push(sample());
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  collect();
  expect(devices.filter((device) => device.deref()).length, 'closed devices in memory').toBeLessThanOrEqual(1);
  expectNoGrowth(`${DEVICES} devices`, samples);
});

it(`a sweep of ${RUNS} runs`, async () => {
  const worker = join(place, 'worker.mjs');
  writeFileSync(
    worker,
    `import { readFileSync, writeFileSync } from 'node:fs';
    const [, , , folder, index] = process.argv;
    const run = JSON.parse(readFileSync(folder + '/sweep.json', 'utf8')).runs[index];
    writeFileSync(folder + '/' + run.name + '/DONE', JSON.stringify({ key: run.key, finished: '' }));`,
  );
  const program = [process.execPath, IS_LONG ? await builtProgram() : worker];
  const config = resolveConfig('tiny', { ...SMALL, epochs: 1 });
  const seeds = Array.from({ length: RUNS }, (_, i) => i + 1);
  const sweep = planSweep(join(place, 'sweep'), describeRuns([{ name: 'a', config }], seeds));
  const samples: Sample[] = [];
  const options = { tell: () => undefined, signal: new AbortController().signal, pollMs: 20 };
  // Four sweeps in turn, each with what is still missing.
  for (let quarter = 1; quarter <= 4; quarter++) {
    const until = Math.floor((quarter * RUNS) / 4);
    const only = seeds.map((seed) => seed - 1).filter((index) => index < until);
    const { done, failed } = await runSweep(new LocalExecutor({ jobs: 2, program }), sweep, { ...options, only });
    expect({ done, failed }).toEqual({ done: until, failed: [] });
    samples.push(sample());
  }
  expectNoGrowth(`${RUNS} runs`, samples);
});
