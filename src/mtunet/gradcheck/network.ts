/**
 * The whole MT-UNet under the paper's objective (Eq. 1): directional derivatives over random halves of all parameters,
 *
 *     d = g on a random half of the parameters, 0 elsewhere, scaled to length 1;      sum_i g_i d_i against d/dt L(theta + t d)
 *
 * with g from reverse mode on the device and L in float64. A direction of independent signs would drown in float32: its derivative is |g| over the
 * root of their number. Along g itself every half of the gradient is seen at full size, and a gradient that is wrong in a layer points where
 * the loss does not change as it says.
 */
import { backward, type Gpu, type Tensor } from '../../engine/index.ts';
import { deriveKey, uint32At, uniformAt } from '../../engine/random.ts';
import { values } from '../../reference/values.ts';
import { predictBatch } from '../losses.ts';
import { MTUNet } from '../model.ts';
import { schemes, UncertaintyScheme } from '../schemes/uncertainty.ts';
import { objective } from './float64-network.ts';
import { type CheckRow, rowOf, type Sample } from './row.ts';

/** ReLU and pooling have kinks: a step so short seldom crosses one, and float64 still has 7 digits of the difference. */
const STEP = 1e-7;
/** What the recorded gradients of the network are held to. */
const TOLERANCE = 1e-3;
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
  const { start, gradients } = await gpu.step(() => {
    const start = parameters.map(({ tensor }) => tensor as Tensor<'C'>);
    backward(scheme.call(predictBatch(gpu, model, batch, size).losses));
    return { start, gradients: parameters.map(({ tensor }) => tensor.gradient as Tensor<'C'>) };
  });
  const lossAt = (direction: readonly Float64Array[], t: number) => {
    const moved = parameters.map(({ name, tensor }, p) => {
      const numbers = direction[p].map((d, k) => start[p][k] + t * d);
      return [name, values(tensor.axes, tensor.shape, numbers)] as const;
    });
    return objective(new Map(moved), batch, size);
  };
  const got: Sample[] = [];
  for (let i = 0; i < samples; i++) {
    const key = deriveKey(i, 'gradcheck halves');
    let count = 0;
    const half = gradients.map((g) => Float64Array.from(g, (value) => (uint32At(key, count++) & 1 ? value : 0)));
    const length = Math.sqrt(half.reduce((total, d) => total + d.reduce((sum, value) => sum + value * value, 0), 0));
    const direction = half.map((d) => d.map((value) => value / length));
    const difference = (lossAt(direction, STEP) - lossAt(direction, -STEP)) / (2 * STEP);
    got.push({ difference, autograd: length, scale: length });
  }
  const what = {
    group: 'network',
    name: `MT-UNet, base ${base}, ${height} x ${width}`,
    statement: `dL / d(half of the ${model.parameterCount.toLocaleString('en')} parameters), Eq. 1`,
    tolerance: TOLERANCE,
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
