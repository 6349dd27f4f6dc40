/** The child of the cold start: the built package, one step of the small U-Net and a second, and what they took as one JSON line. */
import { Adam, backward, klDivergence, logSoftmax, MTUNet, openGpu, upload } from '../../dist/index.js';

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const gpu = await openGpu();
const opened = performance.now(); // from the start of the process

// Processor time of the pipelines, all threads; what a driver puts off until the first dispatch is not in it.
let compiling = 0;
const { kernels } = gpu;
const pipeline = kernels.pipeline.bind(kernels);
kernels.pipeline = (kernel) => {
  const before = cpu();
  const made = pipeline(kernel);
  compiling += cpu() - before;
  return made;
};

const [batch, height, width] = [6, 160, 112];
const config = { base: 8, inputChannels: 1, classes: 3, diagnosis: 'none', saliency: 'conv', dropout: 0 };
const model = new MTUNet(gpu, config, 1);
const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
const pixels = batch * height * width;

async function step() {
  const before = cpu();
  const { loss } = await gpu.step(() => {
    const images = Float32Array.from({ length: pixels }, (_, i) => (i % 255) / 255);
    const { saliency } = model.call(upload(gpu, 'NCHW', [batch, 1, height, width], images));
    const gaze = new Float32Array(pixels).fill(1 / (height * width));
    const divergence = klDivergence(logSoftmax(saliency, 'HW'), upload(gpu, 'NHW', [batch, height, width], gaze));
    backward(divergence);
    adam.step();
    return { loss: divergence };
  });
  if (!Number.isFinite(loss)) throw new Error(`the loss of a first step is ${loss}`);
  return cpu() - before;
}

const first = await step();
const done = performance.now();
const second = await step();
const figures = {
  opened_ms: opened,
  done_ms: done,
  compile_cpu_ms: compiling,
  step_cpu_ms: first,
  next_cpu_ms: second,
};
console.log(JSON.stringify(figures));
process.exit(0);
