/** The shader fragment gives the same bits as src/engine/random.ts. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findAdapter } from '#gpu-host';
import { deriveKey, uint32At, uniformAt } from '../../../src/engine/random.ts';

const COUNT = 4096;
const STREAM = 0x80000001;
const FIRST = 0xfffff000; // the last indices that 32 bits can hold

const code = /* wgsl */ `
  ${readFileSync('src/shaders/lib/philox.wgsl', 'utf8')}
  @group(0) @binding(0) var<uniform> key: vec2u;
  @group(0) @binding(1) var<storage, read_write> result: array<u32>;

  @compute @workgroup_size(64)
  fn draw(@builtin(global_invocation_id) id: vec3u) {
    let bits = random_u32(key, ${FIRST}u + id.x, ${STREAM}u);
    result[2u * id.x] = bits;
    result[2u * id.x + 1u] = bitcast<u32>(uniform01(bits));
  }`;

test('philox.wgsl draws the bits of random.ts', async () => {
  const { adapter } = await findAdapter();
  const device = await adapter.requestDevice();
  const key = deriveKey(2026, 'shader');
  const size = 8 * COUNT;
  const uniforms = device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const result = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const onHost = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(uniforms, 0, Uint32Array.from(key));
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const entries = [uniforms, result].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(COUNT / 64);
  pass.end();
  encoder.copyBufferToBuffer(result, 0, onHost, 0, size);
  device.queue.submit([encoder.finish()]);
  await onHost.mapAsync(GPUMapMode.READ);
  const bytes = onHost.getMappedRange();
  const [bits, floats] = [new Uint32Array(bytes), new Float32Array(bytes)];
  for (let i = 0; i < COUNT; i++) {
    const got = [bits[2 * i], floats[2 * i + 1]];
    expect(got).toEqual([uint32At(key, FIRST + i, STREAM), uniformAt(key, FIRST + i, STREAM)]);
  }
  device.destroy();
});
