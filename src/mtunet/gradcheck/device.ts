/** The same losses and schemes through the code that trains, on the device. */
import {
  backward,
  crossEntropy,
  type Gpu,
  gradients,
  klDivergence,
  log,
  logSoftmax,
  multiply,
  parameter,
  reciprocal,
  type Scalar,
  SGD,
  scale,
  shift,
  sum,
  type Tensor,
  upload,
} from '../../engine/index.ts';
import { type SchemeConfig, schemes, UncertaintyScheme } from '../schemes/uncertainty.ts';
import { type MapSample, PIXELS } from './host.ts';

export async function saliencyOnDevice(gpu: Gpu, { target }: MapSample, logits: readonly number[]) {
  const z = parameter(gpu, 'NP', [1, PIXELS], Float32Array.from(logits), 'logits');
  const got = await gpu.step(() => {
    const q = upload(gpu, 'NP', [1, PIXELS], Float32Array.from(target), 'gaze');
    const logP = logSoftmax(z, 'P');
    const value = klDivergence(logP, q);
    const cross = scale(sum(multiply(logP, q)) as Scalar, -1);
    const [[gradient], [crossGradient]] = [gradients(value, [z]), gradients(cross, [z])];
    return { value, gradient: gradient as Tensor<'NP'>, crossGradient: crossGradient as Tensor<'NP'> };
  });
  z.release();
  return got;
}

export async function classOnDevice(gpu: Gpu, logits: readonly number[], label: number): Promise<Float32Array> {
  const z = parameter(gpu, 'NC', [1, 3], Float32Array.from(logits), 'logits');
  const { gradient } = await gpu.step(() => {
    backward(crossEntropy(z, upload(gpu, 'N', [1], Uint32Array.of(label), 'label')));
    return { gradient: z.gradient as Tensor<'NC'> };
  });
  z.release();
  return gradient;
}

/** One task of a scheme at (L, ln sigma): d objective / dL, and d objective / d ln sigma where it is learnt. */
export async function schemeOnDevice(
  gpu: Gpu,
  config: SchemeConfig,
  task: 'saliency' | 'diagnosis',
  loss: number,
  u: number,
) {
  using scheme = new UncertaintyScheme(gpu, config);
  const own = task === 'saliency' ? 'lg_sigma_image' : 'lg_sigma_class';
  const parameters = [...scheme.parameters()];
  const tensors = new Map(
    parameters.map(({ name }) => [name, { shape: [], values: Float32Array.of(name === own ? u : 0) }]),
  );
  scheme.loadStateDict({ tensors, counters: new Map() });
  const L = parameter(gpu, '', [], Float32Array.of(loss), 'L');
  const sigma = parameters.find(({ name }) => name === own)?.tensor as Scalar | undefined;
  const got = await gpu.step(() => {
    const other = upload(gpu, '', [], [0.5]);
    backward(scheme.call(task === 'saliency' ? { saliency: L, diagnosis: other } : { saliency: other, diagnosis: L }));
    return { weight: L.gradient as Scalar, slope: sigma ? (sigma.gradient as Scalar) : 0 };
  });
  L.release();
  return got;
}

/** dl/dsigma through the scheme that learns sigma itself. */
export async function sigmaSlope(gpu: Gpu, loss: number, sigma: number): Promise<number> {
  using scheme = new UncertaintyScheme(gpu, { ...schemes.mtls3, sigmaParameter: 'direct' });
  const values = Float32Array.of(sigma);
  scheme.loadStateDict({ tensors: new Map([['sigma_class', { shape: [], values }]]), counters: new Map() });
  const [{ tensor }] = [...scheme.parameters()];
  const { slope } = await gpu.step(() => {
    backward(scheme.call({ saliency: null, diagnosis: upload(gpu, '', [], [loss]) }));
    return { slope: tensor.gradient as Scalar };
  });
  return slope;
}

/** sigma^3 / (2 (sigma + 1)) in the engine's operations. */
export const cubicOverLine = (sigma: Scalar) =>
  multiply(multiply(sigma, multiply(sigma, sigma)), reciprocal(scale(shift(sigma, 1), 2)));

export async function scalarSlope(gpu: Gpu, at: number, f: (x: Scalar) => Scalar): Promise<number> {
  const x = parameter(gpu, '', [], Float32Array.of(at), 'sigma');
  const { slope } = await gpu.step(() => {
    backward(f(x));
    return { slope: x.gradient as Scalar };
  });
  x.release();
  return slope;
}

/** How far one SGD step moves a weight whose loss is ln(weight) at weight 1, so that the raw gradient is 1. */
export async function rateOfSgd(gpu: Gpu, rate: number, sigma: number): Promise<number> {
  using scheme = new UncertaintyScheme(gpu, { ...schemes.mtls3, sigmaParameter: 'direct' });
  const values = Float32Array.of(sigma);
  scheme.loadStateDict({ tensors: new Map([['sigma_class', { shape: [], values }]]), counters: new Map() });
  const weight = parameter(gpu, '', [], Float32Array.of(1), 'weight');
  const optimizer = new SGD([{ name: 'weight', tensor: weight }], { learningRate: rate });
  await gpu.step(() => {
    backward(scheme.call({ saliency: null, diagnosis: log(weight) }));
    optimizer.step();
    return null;
  });
  const [after] = await gpu.read(weight);
  optimizer.dispose();
  weight.release();
  return 1 - after;
}
