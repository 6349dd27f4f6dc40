/** TensorFlow.js on its WebGPU backend, in its own layout N H W C: the shared step and the convolution trio. */
import { createRequire } from 'node:module';
import { adapterName } from './dawn.mjs';
import { convolutions, maps, noise, serve, size, trio, weights } from './serve.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs'); // registers the gradients
require('@tensorflow/tfjs-backend-webgpu');
if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs has no backend webgpu here');
await tf.ready();

async function finish() {
  const backend = tf.backend();
  backend.endComputePassEncoder?.();
  backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

const { base, batch, height, width } = size;
const layers = {};
for (const [name, inputs, outputs] of convolutions(base)) {
  layers[name] = {
    weight: tf.variable(tf.tensor4d(weights(9 * inputs * outputs, 9 * inputs), [3, 3, inputs, outputs])),
    bias: tf.variable(tf.zeros([outputs])),
    scale: tf.variable(tf.ones([outputs])),
    shift: tf.variable(tf.zeros([outputs])),
  };
}
const last = tf.variable(tf.tensor4d(weights(base, base), [1, 1, base, 1]));
const lastBias = tf.variable(tf.zeros([1]));

const layer = (input, name) => {
  const { weight, bias, scale, shift } = layers[name];
  const x = tf.conv2d(input, weight, 1, 'same').add(bias);
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.relu(tf.batchNorm(x, mean, variance, shift, scale, 1e-5));
};
function network(image) {
  const skips = [];
  let x = image;
  for (let level = 0; level < 5; level++) {
    if (level) x = tf.maxPool(x, 2, 2, 'valid');
    x = layer(layer(x, `down${level}a`), `down${level}b`);
    skips.push(x);
  }
  for (let level = 3; level >= 0; level--) {
    const twice = tf.image.resizeNearestNeighbor(x, [x.shape[1] * 2, x.shape[2] * 2]);
    const joined = tf.concat([skips[level], layer(twice, `raise${level}`)], 3);
    x = layer(layer(joined, `up${level}a`), `up${level}b`);
  }
  return tf.conv2d(layer(x, 'head'), last, 1, 'same').add(lastBias);
}

const image = tf.tensor4d(noise(batch * height * width), [batch, height, width, 1]);
const target = tf.tensor2d(maps(batch, height * width), [batch, height * width]);
const entropy = target.mul(target.log()).sum();
const adam = tf.train.adam(1e-3);
async function step() {
  const loss = adam.minimize(() => {
    const logs = tf.logSoftmax(network(image).reshape([batch, height * width]));
    return entropy.sub(target.mul(logs).sum()).div(batch);
  }, true);
  await finish();
  const [value] = await loss.data();
  loss.dispose();
  if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
}

const { batch: N, channels: C, height: H, width: W } = trio;
const shape = [N, H, W, C];
const x = tf.tensor4d(noise(N * H * W * C), shape);
const w = tf.tensor4d(noise(9 * C * C), [3, 3, C, C]);
const dy = tf.tensor4d(noise(N * H * W * C), shape);
const options = { strides: 1, pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined };
const run = (kernel, inputs, more) => async () => {
  const result = tf.engine().runKernel(kernel, inputs, { ...options, ...more });
  await finish();
  result.dispose();
};
await serve(`tfjs ${tf.version_core}`, adapterName, {
  step,
  fwd: run('Conv2D', { x, filter: w }, { dilations: 1 }),
  dx: run('Conv2DBackpropInput', { dy, filter: w }, { inputShape: shape }),
  dw: run('Conv2DBackpropFilter', { x, dy }, { filterShape: [3, 3, C, C] }),
});
