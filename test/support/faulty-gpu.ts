/** Devices that compute something else. */
import { openGpu } from '../../src/engine/index.ts';

/** Opens devices on which the shader `name` is compiled with `from` replaced, as a driver's fault would have it. */
export const withFault = (name: RegExp, from: string, to: string) => async () => {
  const gpu = await openGpu();
  const { device } = gpu;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    if (!name.test(descriptor.label ?? '')) return compile(descriptor);
    if (!descriptor.code.includes(from)) throw new Error(`${descriptor.label} has no "${from}"`);
    return compile({ ...descriptor, code: descriptor.code.replaceAll(from, to) });
  };
  return gpu;
};
