/** The child of the cold start: the built package, one step of the small U-Net, and out. */
import { Adam, backward, klDivergence, logSoftmax, MTUNet, openGpu, upload } from '../../dist/index.js';

const gpu = await openGpu();
const [batch, height, width] = [6, 160, 112];
const config = { base: 8, inputChannels: 1, classes: 3, diagnosis: 'none', saliency: 'conv', dropout: 0 };
const model = new MTUNet(gpu, config, 1);
const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
const pixels = batch * height * width;
const { loss } = await gpu.step(() => {
  const images = Float32Array.from({ length: pixels }, (_, i) => (i % 255) / 255);
  const { saliency } = model.call(upload(gpu, 'NCHW', [batch, 1, height, width], images));
  const gaze = new Float32Array(pixels).fill(1 / (height * width));
  const divergence = klDivergence(logSoftmax(saliency, 'HW'), upload(gpu, 'NHW', [batch, height, width], gaze));
  backward(divergence);
  adam.step();
  return { loss: divergence };
});
if (!Number.isFinite(loss)) throw new Error(`the first step's loss is ${loss}`);
process.exit(0);
