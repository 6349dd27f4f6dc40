/** navigator.gpu on Dawn, for engines that were written for browsers. VK_DRIVER_FILES chooses the driver. */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create([]);
globalThis[Symbol.for('peers.gpu')] = gpu; // a collected one takes its device with it
const navigator = { gpu, userAgent: 'node', hardwareConcurrency: 2, language: 'en' };
Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
globalThis.self ??= globalThis;

// tfjs nests its list of features, which browsers flatten by turning it into strings.
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = function (descriptor = {}) {
  const { requiredFeatures, ...rest } = descriptor;
  return requestDevice.call(
    this,
    requiredFeatures ? { ...rest, requiredFeatures: [...requiredFeatures].flat() } : rest,
  );
};

const { info } = await gpu.requestAdapter();
export const adapterName = `${info.device} ${info.description}`.trim();
