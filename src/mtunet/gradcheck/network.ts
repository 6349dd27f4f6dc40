/**
 * The whole MT-UNet under the paper's objective (Eq. 1): directional derivatives over random halves of all parameters,
 *
 *     d = g on a random half of the parameters, 0 elsewhere, scaled to length 1;      sum_i g_i d_i against differences of L(theta + t d)
 *
 * A direction of independent signs would drown in float32: its derivative is |g| over the root of their number. Along g itself every half of the
 * gradient is seen at full size, and a gradient that is wrong in a layer points where the loss does not change as it says. The losses are
 * computed in float64 from the device's logits. ReLU and pooling have kinks, which the differences cross now and then; hence the tolerance.
 */
import { backward, type Gpu, type Tensor, withoutGradient, write } from '../../engine/index.ts';
import { deriveKey, uint32At, uniformAt } from '../../engine/random.ts';
import { predictBatch } from '../losses.ts';
import { MTUNet } from '../model.ts';
import { schemes, UncertaintyScheme } from '../schemes/uncertainty.ts';
import { type CheckRow, rowOf, type Sample, slopeAt0 } from './row.ts';

/** Short, because every kink on the way counts; long enough that the loss moves by 1e-4, which float32 logits show to three digits. */
const STEP = 3e-5;
const TOLERANCE = 1e-2;
const BATCH = 2;

export interface NetworkCheck {
  readonly base: number;
  readonly height: number;
  readonly width: number;
}

export async function networkRow(gpu: Gpu, { base, height, width }: NetworkCheck, samples: number): Promise<CheckRow> {
  using model = new MTUNet(gpu, { base, dropout: 0 }, 1);
  using scheme = new UncertaintyScheme(gpu, schemes.mtls1);
  const parameters = [...model.parameters()];
  const batch = randomBatch(height * width);
  const size = { height, width };
  const found = await gpu.step(() => {
    backward(scheme.call(predictBatch(gpu, model, batch, size).losses));
    return parameters.map(({ tensor }) => tensor.gradient as Tensor<'C'>);
  });
  const gradients = found.map((value) => (typeof value === 'number' ? Float32Array.of(value) : value));
  const start = await gpu.step(() => parameters.map(({ tensor }) => tensor as Tensor<'C'>));
  /** The loss at theta + t d, and what the gradient says of it: sum_i g_i (theta_i(t) - theta_i), with theta(t) as float32 has it. */
  const at = async (direction: readonly Float64Array[], t: number) => {
    let predicted = 0;
    for (const [p, { tensor }] of parameters.entries()) {
      const moved = start[p].map((value, k) => value + t * direction[p][k]);
      predicted += moved.reduce((sum, value, k) => sum + gradients[p][k] * (value - start[p][k]), 0);
      write(tensor, moved);
    }
    const { saliency, diagnosis } = await gpu.step(() =>
      withoutGradient(gpu, () => {
        const { prediction } = predictBatch(gpu, model, batch, size);
        return { saliency: prediction.saliency as Tensor<'NHW'>, diagnosis: prediction.diagnosis as Tensor<'NC'> };
      }),
    );
    return { loss: objective(saliency, diagnosis, batch), predicted };
  };
  const got: Sample[] = [];
  for (let i = 0; i < samples; i++) {
    const key = deriveKey(i, 'gradcheck halves');
    let count = 0;
    const half = gradients.map((g) => Float64Array.from(g, (value) => (uint32At(key, count++) & 1 ? value : 0)));
    const length = Math.sqrt(half.reduce((total, d) => total + d.reduce((sum, value) => sum + value * value, 0), 0));
    const direction = half.map((d) => d.map((value) => value / length));
    const points = new Map<number, Awaited<ReturnType<typeof at>>>();
    for (const t of [-2, -1, 1, 2]) points.set(t * STEP, await at(direction, t * STEP));
    const difference = slopeAt0((t) => points.get(t)!.loss, STEP);
    const autograd = slopeAt0((t) => points.get(t)!.predicted, STEP);
    got.push({ difference, autograd, scale: Math.abs(autograd) });
  }
  const what = {
    group: 'network',
    name: `MT-UNet, base ${base}, ${height} x ${width}`,
    statement: `dL / d(half of the ${model.parameterCount.toLocaleString('en')} parameters), Eq. 1`,
    tolerance: TOLERANCE,
    method: 'device',
  } as const;
  return rowOf(what, got);
}

function randomBatch(pixels: number) {
  const key = deriveKey(5, 'gradcheck batch');
  const images = Float32Array.from({ length: BATCH * pixels }, (_, i) => uniformAt(key, i) * 2 - 1);
  const gaze = Float32Array.from({ length: BATCH * pixels }, (_, i) => uniformAt(key, i, 1) ** 4);
  for (let n = 0; n < BATCH; n++) {
    const map = gaze.subarray(n * pixels, (n + 1) * pixels);
    const total = map.reduce((sum, value) => sum + value, 0);
    for (let i = 0; i < pixels; i++) map[i] /= total;
  }
  return { images, gaze, labels: Uint32Array.of(0, 2) };
}

/** L_s + L_c + 2 ln 2: Eq. 1 with both sigmas at 1, float64. */
function objective(
  saliency: Float32Array,
  diagnosis: Float32Array,
  { gaze, labels }: ReturnType<typeof randomBatch>,
): number {
  const logSum = (z: Float32Array) => {
    const largest = z.reduce((a, b) => Math.max(a, b));
    return largest + Math.log(z.reduce((total, value) => total + Math.exp(value - largest), 0));
  };
  const row = (values: Float32Array, n: number) =>
    values.subarray((n * values.length) / BATCH, ((n + 1) * values.length) / BATCH);
  let total = 2 * Math.LN2;
  for (let n = 0; n < BATCH; n++) {
    const [z, q, c] = [row(saliency, n), row(gaze, n), row(diagnosis, n)];
    const norm = logSum(z);
    total += q.reduce((sum, value, i) => sum + (value > 0 ? value * (Math.log(value) - (z[i] - norm)) : 0), 0) / BATCH;
    total += (logSum(c) - c[labels[n]]) / BATCH;
  }
  return total;
}
