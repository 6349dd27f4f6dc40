/**
 * Time and memory of a training step (Adam) for every network of the paper's tables: at preset small, and on a GPU at preset paper too.
 *
 * The U-Nets have the preset's width, the others their published ones. A network that does not take the preset's size gets the nearest
 * one that it takes. What a step at preset paper would hold is counted without running it.
 */
import { Adam, backward, type Gpu } from '../../src/engine/index.ts';
import { type PresetName, presets, resolveConfig } from '../../src/mtunet/config.ts';
import { networkCosts, trainingMemory } from '../../src/mtunet/costs.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { buildNetwork, type NetworkName, networkNames, networks, type SizeRule } from '../../src/mtunet/networks.ts';
import { schemes, UncertaintyScheme } from '../../src/mtunet/schemes/uncertainty.ts';
import { type Benchmark, type Context, type Figure, time } from './figure.ts';

const CLASSES = 3;
const BATCH: Readonly<Record<'small' | 'paper', number>> = { small: 2, paper: presets.paper.batchSize };

export const networkSteps: Benchmark = {
  name: 'networks',
  about:
    'training step of every network at preset small (batch 2), and on a GPU at preset paper (batch 6); minutes on a processor',
  async *run(context) {
    for (const preset of context.gpu.description.software ? (['small'] as const) : (['small', 'paper'] as const)) {
      for (const name of networkNames) yield await networkStep(context, name, preset);
    }
  },
};

async function networkStep(context: Context, name: NetworkName, preset: 'small' | 'paper'): Promise<Figure> {
  const { gpu } = context;
  const options = { ...presets[preset].network, name };
  const size = sizeAt(preset, networks[name].size);
  const costs = networkCosts({ ...options, classes: CLASSES }, size);
  const inPaper = trainingMemory(
    { ...presets.paper.network, name, classes: CLASSES },
    { ...sizeAt('paper', networks[name].size), batchSize: BATCH.paper },
  );
  gpu.trim();
  const trained = trainedNetwork(gpu, name, preset, size);
  const lasting = gpu.memory().liveBytes;
  gpu.pool.resetPeak();
  const width = name.includes('unet') ? ` base${options.base}` : '';
  const bench = `${name} train step${width} ${size.height}x${size.width} b${BATCH[preset]}`;
  const figure = await time(context, { bench }, trained.step, () => ({
    parameters: costs.parameters,
    trained: costs.trained,
    multiply_adds: costs.multiplyAdds,
    lasting_bytes: lasting,
    peak_bytes: gpu.memory().peakBytes,
    paper_peak_bytes: inPaper.peak,
  }));
  trained.dispose();
  gpu.trim();
  return figure;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

function sizeAt(preset: PresetName, { multiple, smallest }: SizeRule): Size {
  const nearest = (length: number) =>
    Math.max(Math.ceil(smallest / multiple), Math.round(length / multiple)) * multiple;
  const { height, width } = presets[preset];
  return { height: nearest(height), width: nearest(width) };
}

/** `step` trains on one batch: 2 films at preset small, 6 at preset paper. */
export function trainedNetwork(gpu: Gpu, name: NetworkName, preset: 'small' | 'paper', { height, width }: Size) {
  const config = resolveConfig(preset, { height, width, network: { name } });
  const model = buildNetwork(gpu, config.network, CLASSES, config.seed);
  const scheme = new UncertaintyScheme(gpu, schemes.sum);
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-4 });
  const [count, area] = [BATCH[preset], height * width];
  const batch = {
    images: Float32Array.from({ length: count * area }, (_, i) => Math.sin(i * 0.37)),
    gaze: new Float32Array(count * area).fill(1 / area),
    labels: Uint32Array.from({ length: count }, (_, i) => i % CLASSES),
  };
  return {
    step: () =>
      gpu.step(() => {
        const loss = scheme.call(predictBatch(gpu, model, batch, { height, width }).losses);
        backward(loss);
        optimizer.step({ guard: loss });
        return { loss };
      }),
    dispose() {
      optimizer.dispose();
      scheme.dispose();
      model.dispose();
    },
  };
}
