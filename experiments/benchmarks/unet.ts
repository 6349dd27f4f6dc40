/**
 * The training step that every engine of the comparison does: a U-Net of five levels, two convolutions 3x3 with normalisation and ReLU
 * a block, nearest upsampling with a convolution, skips joined, a head of one more convolution and a 1x1, divergence, Adam.
 */
import { savedBytes } from '../../src/engine/autograd.ts';
import { Adam, backward, type Gpu, klDivergence, logSoftmax, StepRecorder, upload } from '../../src/engine/index.ts';
import { defaultConfig, MTUNet } from '../../src/mtunet/model.ts';

export interface UnetSize {
  readonly base: number;
  readonly height: number;
  readonly width: number;
  readonly batch: number;
}

export const sharedSize: UnetSize = { base: 8, height: 160, width: 112, batch: 6 };

export const nameOf = ({ base, height, width, batch }: UnetSize) =>
  `unet train step base${base} ${height}x${width} b${batch}`;

/** [C, O, level] of every convolution 3x3, in the order of the forward pass. */
export function layersOf(base: number): [C: number, O: number, level: number][] {
  const widths = [1, 2, 4, 8, 16].map((factor) => factor * base);
  const layers: [number, number, number][] = [];
  widths.forEach((width, level) => {
    layers.push([level ? widths[level - 1] : 1, width, level], [width, width, level]);
  });
  for (let level = 3; level >= 0; level--) {
    const [wide, width] = [widths[level + 1], widths[level]];
    layers.push([wide, width, level], [wide, width, level], [width, width, level]);
  }
  layers.push([base, base, 0]);
  return layers;
}

/** Forward, gradient of the input and gradient of the weight, in billions of operations. */
export function stepGflop({ base, height, width, batch }: UnetSize): number {
  const forward = layersOf(base).reduce(
    (total, [C, O, level]) => total + 18 * C * O * (height >> level) * (width >> level) * batch,
    0,
  );
  return (3 * forward) / 1e9;
}

export interface UnetStep {
  /** One step; the loss. */
  run(): Promise<number>;
  /** Bytes that the last step's backward pass read of what its forward pass had left. */
  readonly savedBytes: number;
  /** Milliseconds that JavaScript took to prepare and submit the last step. */
  readonly hostMs: number;
  dispose(): void;
}

export function unetStep(gpu: Gpu, { base, height, width, batch }: UnetSize): UnetStep {
  const model = new MTUNet(gpu, { ...defaultConfig, base, diagnosis: 'none' }, 1);
  const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
  const pixels = batch * height * width;
  const images = Float32Array.from({ length: pixels }, (_, i) => ((i * 7919) % 1009) / 1009);
  const gaze = Float32Array.from({ length: pixels }, (_, i) => ((i * 104729) % 997) + 1);
  for (let n = 0; n < batch; n++) {
    const map = gaze.subarray((n * pixels) / batch, ((n + 1) * pixels) / batch);
    const total = map.reduce((sum, value) => sum + value, 0);
    map.forEach((value, i) => {
      map[i] = value / total;
    });
  }
  const body = () => {
    const { saliency } = model.call(upload(gpu, 'NCHW', [batch, 1, height, width], images, 'image'));
    const loss = klDivergence(logSoftmax(saliency!, 'HW'), upload(gpu, 'NHW', [batch, height, width], gaze, 'gaze'));
    saved = savedBytes(loss);
    backward(loss);
    adam.step({ guard: loss });
    return { loss };
  };
  const recorder = new StepRecorder(gpu); // as a training does its steps
  let hostMs = 0;
  let saved = 0;
  return {
    get savedBytes() {
      return saved;
    },
    get hostMs() {
      return hostMs;
    },
    async run() {
      const started = performance.now();
      const arriving = recorder.step(`${gpu.recomputes} ${gpu.halves}`, [images, gaze], body);
      hostMs = performance.now() - started;
      return (await arriving).loss;
    },
    dispose() {
      recorder.dispose();
      adam.dispose();
      model.dispose();
    },
  };
}
