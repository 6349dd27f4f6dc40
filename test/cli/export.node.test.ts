/** mtunet export: what leaves is what the run holds, for readers that know the published layout and for the program itself. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { register as registerExport } from '../../src/cli/commands/export.ts';
import { register as registerWeights } from '../../src/cli/commands/weights.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { dryGpu } from '../../src/engine/dry.ts';
import { Counter, type StateDict } from '../../src/engine/index.ts';
import { writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import { SMALL } from '../support/command.ts';

ort.env.wasm.numThreads = 1;

let place: string;
let run: RunFolder;
let state: StateDict;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
  const config = resolveConfig('tiny', SMALL);
  using gpu = dryGpu();
  using network = buildNetwork(gpu, config.network, 3, null);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const counters = new Map<string, number>();
  for (const { name, member } of network.entries()) {
    if (member instanceof Counter) counters.set(name, 2 ** 40 + counters.size);
    else {
      const values = Float32Array.from({ length: member.size }, (_, i) => 0.5 + Math.sin(i + tensors.size) / 4);
      tensors.set(name, { shape: member.shape, values });
    }
  }
  state = { tensors, counters };
  run = RunFolder.create(join(place, 'run'), config);
  run.write('weights.safetensors', writeWeights(state));
});
afterAll(() => rmSync(place, { recursive: true }));

/** What the command prints. */
async function mtunet(...args: string[]): Promise<string> {
  const program = new Command().exitOverride();
  for (const register of [registerExport, registerWeights]) register(program);
  const lines: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    print.mockRestore();
  }
  return lines.join('\n');
}

it('writes safetensors as its format says, without a reader of ours', async () => {
  const file = join(place, 'out.safetensors');
  expect(await mtunet('export', run.path, '--format', 'safetensors', '--out', file)).toBe(file);
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'));
  expect(JSON.parse(__metadata__.network).name).toBe('mt-unet');
  expect(Object.keys(header).sort()).toEqual([...state.tensors.keys(), ...state.counters.keys()].sort());
  const data = bytes.subarray(8 + length);
  let covered = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries<{
    dtype: string;
    shape: number[];
    data_offsets: [number, number];
  }>(header)) {
    const part = data.subarray(...offsets);
    covered += part.length;
    const tensor = state.tensors.get(name);
    if (tensor) {
      expect([dtype, shape], name).toEqual(['F32', tensor.shape]);
      expect(part, name).toEqual(Buffer.from(tensor.values.buffer));
    } else {
      expect([dtype, shape], name).toEqual(['I64', []]);
      expect(part.readBigInt64LE(0), name).toBe(BigInt(state.counters.get(name)!));
    }
  }
  expect(covered).toBe(data.length);
});

it('writes safetensors that inspect lists and that fit the network exactly', async () => {
  const file = join(place, 'again.safetensors');
  await mtunet('export', run.path, '--format', 'safetensors', '--out', file);
  const { format, tensors } = JSON.parse(await mtunet('weights', 'inspect', file, '--json'));
  expect(format).toBe('safetensors');
  expect(tensors.length).toBe(state.tensors.size + state.counters.size);
  const summary = await mtunet('weights', 'check', file, '--network', 'mt-unet', '--base', '1', '--strict');
  expect(summary).toMatch(/, 0 of them renamed, 0 deviations$/);
});

it('writes ONNX with the names and sizes of the run', async () => {
  const file = await mtunet('export', run.path, '--format', 'onnx');
  expect(file).toBe(run.file('network.onnx'));
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file)));
  const { height, width } = SMALL;
  const image = new ort.Tensor('float32', new Float32Array(height * width).fill(0.5), [1, 1, height, width]);
  const { diagnosis, saliency, ...others } = await session.run({ image });
  expect([diagnosis.dims, saliency.dims, others]).toEqual([[1, 3], [1, height, width], {}]);
  expect((saliency.data as Float32Array).every(Number.isFinite)).toBe(true);
  await session.release();
});
