/** A device of the portable adapter has the limits that were asked for, else those that every WebGPU has. */
import { expect, it } from 'vitest';
import { portableAdapter } from '../../../src/portable/index.ts';

const adapter = portableAdapter();

const groupOf = (size: number) => `
@group(0) @binding(0) var<storage, read_write> output : array<f32>;
@compute @workgroup_size(${size})
fn main(@builtin(local_invocation_index) lane : u32) { output[lane] = 1.0; }`;

async function problemOf(device: GPUDevice, code: string): Promise<string | undefined> {
  device.pushErrorScope('validation');
  device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  return (await device.popErrorScope())?.message;
}

it('are the defaults of the specification where nothing is asked for', async () => {
  const device = await adapter.requestDevice();
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  expect([maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize]).toEqual([8, 2 ** 27, 2 ** 28]);
  expect(await problemOf(device, groupOf(256))).toBeUndefined();
  expect(await problemOf(device, groupOf(257))).toMatch('invocations is more than 256');
});

it('are those that were asked for', async () => {
  const device = await adapter.requestDevice({
    requiredLimits: { maxComputeInvocationsPerWorkgroup: 512, maxComputeWorkgroupSizeX: 512 },
  });
  expect(await problemOf(device, groupOf(512))).toBeUndefined();
  expect(await problemOf(device, groupOf(513))).toMatch('invocations is more than 512');
});

it('hold for the number of storage buffers', async () => {
  const code = `
${Array.from({ length: 9 }, (_, i) => `@group(0) @binding(${i}) var<storage, read_write> b${i} : array<f32>;`).join('\n')}
@compute @workgroup_size(1)
fn main() { ${Array.from({ length: 9 }, (_, i) => `b${i}[0] = 1.0;`).join(' ')} }`;
  expect(await problemOf(await adapter.requestDevice(), code)).toBe('9 storage buffers are more than 8');
  const more = await adapter.requestDevice({ requiredLimits: { maxStorageBuffersPerShaderStage: 9 } });
  expect(await problemOf(more, code)).toBeUndefined();
});

it('are refused beyond what the adapter offers', async () => {
  await expect(adapter.requestDevice({ requiredLimits: { maxBufferSize: 2 ** 40 } })).rejects.toThrow(
    `the portable adapter offers maxBufferSize ${2 ** 31}, and ${2 ** 40} was asked for`,
  );
});
