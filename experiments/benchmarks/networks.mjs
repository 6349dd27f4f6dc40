/**
 * Memory and time of a training step (Adam) for every network of the paper's tables.
 *
 *     npm run bench:networks -- [--preset small] [--batch 2] [--steps 3] [--only resnet50,vgg-ssm] [--memory]
 *
 * Memory is counted from the engine's own allocations without an adapter; time is the median of `steps` steps after one to warm up, and is
 * left out with --memory. A network that does not take the preset's size gets the nearest one that it takes. One JSON line a network.
 */
import { parseArgs } from 'node:util';
import { Adam, backward, openGpu } from '../../dist/index.js';
import { resolveConfig } from '../../dist/mtunet/config.js';
import { networkCosts, trainingMemory } from '../../dist/mtunet/costs.js';
import { predictBatch } from '../../dist/mtunet/losses.js';
import { buildNetwork, networkNames, networks } from '../../dist/mtunet/networks.js';
import { schemes, UncertaintyScheme } from '../../dist/mtunet/schemes/uncertainty.js';

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'small' },
    batch: { type: 'string', default: '2' },
    steps: { type: 'string', default: '3' },
    only: { type: 'string', default: networkNames.join(',') },
    memory: { type: 'boolean', default: false },
  },
});
const batchSize = Number(values.batch);
const CLASSES = 3;

const nearest = (length, { multiple, smallest }) =>
  Math.max(Math.ceil(smallest / multiple), Math.round(length / multiple)) * multiple;

/** Seconds of each step. */
async function time(gpu, options, { height, width }, steps) {
  const model = buildNetwork(gpu, options, CLASSES, 1);
  const scheme = new UncertaintyScheme(gpu, schemes.sum);
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-4 });
  const area = height * width;
  const batch = {
    images: Float32Array.from({ length: batchSize * area }, (_, i) => Math.sin(i * 0.37)),
    gaze: new Float32Array(batchSize * area).fill(1 / area),
    labels: Uint32Array.from({ length: batchSize }, (_, i) => i % CLASSES),
  };
  const seconds = [];
  for (let step = 0; step <= steps; step++) {
    const started = performance.now();
    await gpu.step(() => {
      const loss = scheme.call(predictBatch(gpu, model, batch, { height, width }).losses);
      backward(loss);
      optimizer.step({ guard: loss });
      return { loss };
    });
    seconds.push((performance.now() - started) / 1000);
  }
  optimizer.dispose();
  model.dispose();
  return seconds;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const mebibytes = (bytes) => Math.round(bytes / 2 ** 20);

const preset = resolveConfig(values.preset);
const gpu = values.memory ? null : await openGpu();
for (const name of values.only.split(',')) {
  const { size } = networks[name];
  const shape = { height: nearest(preset.height, size), width: nearest(preset.width, size) };
  // The U-Nets at the width of the preset, the others at their published widths.
  const options = { ...preset.network, name };
  const costs = networkCosts({ ...options, classes: CLASSES }, shape);
  const memory = trainingMemory({ ...options, classes: CLASSES }, { ...shape, batchSize });
  const figure = {
    network: name,
    ...(name.includes('unet') && { base: options.base }),
    size: `${shape.height}x${shape.width}`,
    batch: batchSize,
    parameters: costs.parameters,
    multiplyAdds: costs.multiplyAdds,
    lastingMiB: mebibytes(memory.lasting),
    peakMiB: mebibytes(memory.peak),
  };
  if (gpu) {
    const [first, ...rest] = await time(gpu, options, shape, Number(values.steps));
    Object.assign(figure, {
      firstStepSeconds: Number(first.toFixed(2)),
      stepSeconds: Number(median(rest).toFixed(3)),
      steps: rest.length,
      adapter: gpu.description.name,
    });
    gpu.trim();
  }
  console.log(JSON.stringify({ ...figure, date: new Date().toISOString().slice(0, 10) }));
}
gpu?.destroy();
