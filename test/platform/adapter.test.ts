/** Here, wherever that is, an adapter is found and computes. */
import { describe, expect, test } from 'vitest';
import { findAdapter, listAdapters, runtime } from '#gpu-host';

const SQUARES = /* wgsl */ `
  @group(0) @binding(0) var<storage, read_write> values: array<f32>;

  @compute @workgroup_size(64)
  fn square(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < arrayLength(&values)) { values[id.x] = values[id.x] * values[id.x] + 0.5; }
  }
`;

describe('the adapter', () => {
  test('is found, says what it is, and computes', async () => {
    const { adapter, description } = await findAdapter();
    expect(description.name).not.toBe('');
    expect(description.why).not.toBe('');
    expect(typeof description.software).toBe('boolean');

    const device = await adapter.requestDevice();
    const numbers = Float32Array.from({ length: 1000 }, (_, i) => i / 8);
    const values = device.createBuffer({
      size: numbers.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    const onHost = device.createBuffer({
      size: numbers.byteLength,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(values, 0, numbers);
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: SQUARES }) },
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: values } }],
      }),
    );
    pass.dispatchWorkgroups(Math.ceil(numbers.length / 64));
    pass.end();
    encoder.copyBufferToBuffer(values, 0, onHost, 0, numbers.byteLength);
    device.queue.submit([encoder.finish()]);
    await onHost.mapAsync(GPUMapMode.READ);
    const squares = new Float32Array(onHost.getMappedRange().slice(0));
    device.destroy();

    expect(squares).toEqual(numbers.map((x) => x * x + 0.5));
  });

  test('is one of the list, in use', async () => {
    const used = (await listAdapters()).filter((report) => report.used);
    const { description } = await findAdapter();
    expect(used).toHaveLength(1);
    expect(used[0]).toMatchObject({ rung: description.rung, driver: description.driver });
    expect(used[0].limits.maxBufferSize).toBeGreaterThan(0);
    expect(runtime).not.toBe('');
  });

  test('is a software adapter on demand, or refused as such where the system has none', async () => {
    const answer = await findAdapter({ prefer: 'software' }).catch((refusal: Error) => refusal);
    if (answer instanceof Error) expect(answer.message).toContain('no software adapter');
    else expect(answer.description.software).toBe(true);
  });

  test('is refused by name when it is not there', async () => {
    await expect(findAdapter({ name: 'abacus' })).rejects.toThrow('"abacus"');
  });
});
