/** Runs WGSL on the portable adapter's device, without the engine above it. */
import { portableAdapter } from '../../src/portable/index.ts';

export interface Run {
  readonly code: string;
  readonly entryPoint?: string;
  readonly constants?: Record<string, number>;
  /** Contents of bindings 0, 1, ...; each comes back as it is in the end. */
  readonly buffers: readonly (Float32Array | Uint32Array | Int32Array)[];
  readonly groups?: readonly [number, number?, number?];
}

/** The words of every buffer after the run, or the first error. */
export async function run({
  code,
  entryPoint = 'main',
  constants = {},
  buffers,
  groups = [1],
}: Run): Promise<Uint32Array[]> {
  const device = await portableAdapter().requestDevice();
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint, constants } });
  const made = buffers.map((data) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: 0x8c });
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  });
  const entries = made.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(...groups);
  pass.end();
  const results = made.map(({ size }) => device.createBuffer({ size, usage: 0x09 }));
  made.forEach((buffer, i) => {
    encoder.copyBufferToBuffer(buffer, 0, results[i], 0, buffer.size);
  });
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  const words: Uint32Array[] = [];
  for (const result of results) {
    await result.mapAsync(0x01);
    words.push(new Uint32Array(result.getMappedRange()));
  }
  device.destroy();
  return words;
}

export const asFloats = (words: Uint32Array): Float32Array =>
  new Float32Array(words.buffer, words.byteOffset, words.length);
