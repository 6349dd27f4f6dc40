/** In a page: the time from a submission to its result, as the browser settles it and as the engine waits for it. */
import { openGpu, relu, sum, upload } from '../../src/engine/index.ts';

const ROUNDS = 30;

const three = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted[sorted.length - 1] };
};

async function times(work: () => Promise<unknown>): Promise<{ min: number; median: number; max: number }> {
  const taken: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await work();
    taken.push(performance.now() - began);
  }
  return three(taken);
}

/** The name that the page of the tests calls. */
export async function runTests(tell: (line: string) => void): Promise<object> {
  const gpu = await openGpu();
  tell(gpu.description.name);
  const { device } = gpu;
  const small = () => gpu.step(() => ({ total: sum(relu(upload(gpu, 'N', [1024], new Float32Array(1024).fill(1)))) }));
  await small();
  const [from, to] = [0x04 | 0x08, 0x01 | 0x08].map((usage) => device.createBuffer({ size: 4096, usage }));
  const browser = await times(async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, 4096);
    device.queue.submit([encoder.finish()]);
    await to.mapAsync(0x01);
    to.unmap();
  });
  const engine = await times(small);
  return { adapter: gpu.description.name, browser, engine };
}
