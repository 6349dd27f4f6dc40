/**
 * MT-UNet in float64, in training mode without dropout: the third witness beside the device and the recorded values. The equations are model.ts's,
 * written down a second time in plain loops.
 */
import { batchNorm } from '../../reference/batch-norm.ts';
import { concat } from '../../reference/concat.ts';
import { conv2d } from '../../reference/conv2d.ts';
import { crossEntropy } from '../../reference/cross-entropy.ts';
import { elementwise } from '../../reference/elementwise.ts';
import { klDivergence } from '../../reference/kl-divergence.ts';
import { linear } from '../../reference/matmul.ts';
import { maxPool2d } from '../../reference/pool.ts';
import { mean } from '../../reference/reduce.ts';
import { logSoftmax } from '../../reference/softmax.ts';
import { upsample } from '../../reference/upsample.ts';
import { map, type Values, values } from '../../reference/values.ts';
import type { BatchArrays, ImageSize } from '../losses.ts';

/** By state_dict name. */
export type Parameters = ReadonlyMap<string, Values>;
type Features = Values<'NCHW'>;

const LEVELS = [1, 2, 3, 4, 5];

/** L_s + L_c + 2 ln 2: Eq. 1 with both sigmas at 1. */
export function objective(parameters: Parameters, { images, gaze, labels }: BatchArrays, size: ImageSize): number {
  const { height, width } = size;
  const N = labels.length;
  const { saliency, diagnosis } = forward(parameters, values('NCHW', [N, 1, height, width], images));
  const maps = values('NHW', [N, height, width], gaze);
  const [L_s] = klDivergence(logSoftmax(saliency, 'HW'), maps).data;
  const [L_c] = crossEntropy(diagnosis, labels).data;
  return L_s + L_c + 2 * Math.LN2;
}

function forward(parameters: Parameters, image: Features): { saliency: Values<'NHW'>; diagnosis: Values<'NC'> } {
  const get = <A extends string>(name: string, axes: A): Values<A> => {
    const found = parameters.get(name);
    if (!found) throw new Error(`float64 network: there is no parameter called "${name}".`);
    return values(axes, found.shape, found.data);
  };
  const convolution = (name: string, x: Features, padding: number) =>
    conv2d({ input: x, weight: get(`${name}.weight`, 'OCRS'), bias: get(`${name}.bias`, 'C') }, { padding });
  const normalised = (name: string, input: Features) => {
    const [weight, bias] = [get(`${name}.weight`, 'C'), get(`${name}.bias`, 'C')];
    const running = { runningMean: bias, runningVariance: weight }; // not read in training
    return batchNorm({ input, weight, bias, ...running }, { training: true, activation: 'relu' }).output;
  };
  const block = (name: string, x: Features) =>
    ['0', '3'].reduce((y, at) => normalised(`${name}.${Number(at) + 1}`, convolution(`${name}.${at}`, y, 1)), x);
  const raise = (name: string, x: Features) => {
    const [, , H, W] = x.shape;
    return normalised(`${name}.2`, convolution(`${name}.1`, upsample(x, [2 * H, 2 * W], 'nearest'), 1));
  };
  const dense = (name: string, x: Values) =>
    linear({ input: x, weight: get(`${name}.weight`, 'OC'), bias: get(`${name}.bias`, 'C') });

  const encoded: Features[] = [];
  for (const level of LEVELS) {
    const below = level === 1 ? image : maxPool2d(encoded[level - 2], { size: 2 });
    encoded.push(block(`Conv${level}`, below));
  }
  const bottleneck = encoded[LEVELS.length - 1];
  const top = LEVELS.slice(1).reduceRight((features, level) => {
    const joined = concat([encoded[level - 2], raise(`Up${level}`, features)], 'C') as Features;
    return block(`Up_conv${level}`, joined);
  }, bottleneck);
  const pooled = concat([mean(bottleneck, 'HW'), mean(top, 'HW')], 'C');
  const hidden = map(dense('out_classification.linear_1', pooled), elementwise.relu);
  const head = normalised('out_conv_image.BatchNorm2d', convolution('out_conv_image.conv2d', top, 1));
  const logits = convolution('out_conv_image.conv_last', head, 0);
  const [N, , H, W] = logits.shape;
  return {
    saliency: values('NHW', [N, H, W], logits.data),
    diagnosis: dense('out_classification.linear_2', hidden),
  };
}
