/** Every network against golden/networks: outputs, losses, gradients and running statistics of every case that the folder holds. */
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/counter-random.ts';
import { dryGpu } from '../../src/engine/dry.ts';
import {
  add,
  backward,
  crossEntropy,
  klDivergence,
  logSoftmax,
  type Scalar,
  type Tensor,
  upload,
  withoutGradient,
} from '../../src/engine/index.ts';
import { SaliencyNetwork } from '../../src/mtunet/baselines/saliency-network.ts';
import type { Network, Prediction } from '../../src/mtunet/network.ts';
import { schemes, UncertaintyScheme } from '../../src/mtunet/schemes/uncertainty.ts';
import { goldenFiles, readGoldenJson } from '../support/browser-files.ts';
import { testGpu } from '../support/gpu.ts';
import { recordedArchitecture } from '../support/recorded-architectures.ts';
import {
  checkGradients,
  checkLoss,
  checkOutput,
  checkStatistics,
  type RecordedCase,
  type RecordedNetwork,
  recordedGaze,
  recordedImage,
  recordedWeights,
} from '../support/recorded-network.ts';

const files = (await goldenFiles('networks')).filter((file) => file.endsWith('.json'));
const networks: RecordedNetwork[] = await Promise.all(files.map((file) => readGoldenJson(`networks/${file}`)));

function lossesOf(prediction: Prediction, network: RecordedNetwork, recorded: RecordedCase) {
  const gpu = (prediction.diagnosis ?? prediction.saliency)!.gpu;
  const ce =
    prediction.diagnosis &&
    crossEntropy(
      prediction.diagnosis,
      upload(gpu, 'N', [recorded.targets!.length], Uint32Array.from(recorded.targets!)),
    );
  const gaze =
    recorded.gaze && upload(gpu, 'NHW', recorded.gaze.shape, recordedGaze(recorded.gaze.shape, network.globalSeed));
  const kl = prediction.saliency && klDivergence(logSoftmax(prediction.saliency, 'HW'), gaze!);
  const total = (ce && kl ? add(ce, kl) : (ce ?? kl)) as Scalar;
  return { ...(ce && { ce }), ...(kl && { kl }), total };
}

/** Logits of the classes and of the pixels, and what a saliency network makes of the latter. */
const outputsOf = (model: Network, { diagnosis, saliency }: Prediction) => ({
  cls: diagnosis as Tensor<'NC'>,
  sal: saliency as Tensor<'NHW'>,
  native: (saliency && model instanceof SaliencyNetwork ? model.native(saliency) : null) as Tensor<'NHW'>,
});

/**
 * A software adapter needs a quarter of an hour for all that is recorded. Unless it is asked for (`npm run test:networks`, or a folder of
 * its own in GOLDEN), the suite takes the smallest case of each architecture at its smallest width: whole where that is a matter of
 * seconds, else the evaluation of its first image.
 */
const everything = process.env.NETWORKS === 'all' || Boolean(process.env.GOLDEN);
/** Parameters of a network whose backward pass the suite can afford. */
const AFFORDABLE = 1e6;

const architecture = ({ arch: { base: _, ...arch } }: RecordedNetwork) => JSON.stringify(arch);

function chosen(network: RecordedNetwork): { recorded: RecordedCase; whole: boolean }[] {
  const { params, cases } = network;
  if (everything) return cases.map((recorded) => ({ recorded, whole: true }));
  if (networks.some((other) => other.params < params && architecture(other) === architecture(network))) return [];
  const pixels = ({ input }: RecordedCase) => input.shape.reduce((product, length) => product * length, 1);
  const [smallest] = [...cases].sort((a, b) => pixels(a) - pixels(b));
  return [{ recorded: smallest, whole: params <= AFFORDABLE }];
}

describe('recorded networks', () => {
  it('are there', () => {
    expect(networks.length).toBeGreaterThan(0);
  });

  for (const network of networks) {
    it(`${network.net} has the recorded parameters by name, shape and count`, () => {
      using gpu = dryGpu();
      using model = recordedArchitecture(gpu, network.arch);
      const entries = [...model.entries()].map(({ name, member }) => [
        name,
        'shape' in member ? [...member.shape] : [],
      ]);
      expect(entries).toEqual(network.tensors.map(([name, shape]) => [name, shape]));
      expect(model.parameterCount).toBe(network.params);
    });

    for (const { recorded, whole } of chosen(network)) {
      it(`${recorded.id} matches${whole ? '' : ' in the evaluation of its first image'}`, async () => {
        const gpu = await testGpu();
        using model = recordedArchitecture(gpu, network.arch);
        model.loadStateDict(recordedWeights(network));
        const image = recordedImage(recorded.input.shape, network.globalSeed);
        const run = (images = recorded.input.shape[0], pixels = image) => {
          const shape = [images, ...recorded.input.shape.slice(1)];
          const size = shape.reduce((product, length) => product * length, 1);
          return model.call(upload(gpu, 'NCHW', shape, pixels.subarray(0, size), 'input'));
        };
        const compare = (
          mode: 'eval' | 'train',
          got: Record<'cls' | 'sal' | 'native', Float32Array>,
          images?: number,
        ) => {
          for (const [kind, samples] of Object.entries(recorded[mode]))
            checkOutput(network, mode, kind, samples, got[kind as 'cls'], images);
        };

        model.train(false);
        if (!whole) {
          const first = await gpu.step(() => withoutGradient(gpu, () => outputsOf(model, run(1))));
          compare('eval', first, 1);
          return;
        }
        const evaluated = await gpu.step(() =>
          withoutGradient(gpu, () => {
            const prediction = run();
            return { ...outputsOf(model, prediction), loss: lossesOf(prediction, network, recorded) };
          }),
        );
        compare('eval', evaluated);
        checkLoss(network, recorded.evalLoss, evaluated.loss as Record<string, number>, 'evalLoss');

        model.train();
        const parameters = [...model.parameters()];
        const train = async (pixels: Float32Array) => {
          const { gradients, ...results } = await gpu.step(() => {
            const prediction = run(undefined, pixels);
            prediction.diagnosis?.keep();
            prediction.saliency?.keep();
            const results = { ...outputsOf(model, prediction), loss: lossesOf(prediction, network, recorded) };
            backward(results.loss.total);
            return { ...results, gradients: parameters.map(({ tensor }) => tensor.gradient as Tensor<'C'>) };
          });
          return { ...results, gradients: new Map(parameters.map(({ name }, i) => [name, gradients[i]])) };
        };
        const trained = await train(image);
        compare('train', trained);
        checkLoss(network, recorded.loss, trained.loss as Record<string, number>, 'loss');
        const state = await model.stateDict();
        checkStatistics(network, recorded, new Map([...state.tensors].map(([name, { values }]) => [name, values])));
        for (const [name, count] of state.counters)
          expect(count, name).toBe(name.endsWith('num_batches_tracked') ? 1 : 0);
        await checkOnOneSideOfTies(network, recorded, image, trained.gradients, async (pixels) => {
          return (await train(pixels)).gradients;
        });
        for (const [variant, samples] of Object.entries(recorded.variants ?? {})) {
          using other = recordedArchitecture(gpu, network.arch, variant);
          other.loadStateDict(recordedWeights(network)).train(false);
          const { saliency } = await gpu.step(() =>
            withoutGradient(gpu, () => {
              const image = upload(
                gpu,
                'NCHW',
                recorded.input.shape,
                recordedImage(recorded.input.shape, network.globalSeed),
              );
              return { saliency: other.call(image).saliency as Tensor<'NHW'> };
            }),
          );
          checkOutput(network, 'eval', 'sal', samples, saliency);
        }
        if (recorded.weighted) await checkWeighted(network, recorded, trained.loss as { ce: number; kl: number });
      });
    }
  }
});

type Gradients = ReadonlyMap<string, ArrayLike<number> | null>;

/** Images tried that no float32 input could be told from the recorded one. */
const NEIGHBOURS = 4;

/**
 * Gradients jump where a ReLU or a max pool decides between two values that rounding cannot tell apart. Such a tie may fall to
 * either side on an adapter that rounds otherwise, and turn the gradients of everything below it. So where they
 * do not match, the same tolerances are asked of images whose pixels differ by at most one unit of the last place, the noise
 * with which the tolerances were made. An error of a derivative is the same in all of them; a tie falls now here, now there.
 * The recorded image itself must give the same bits again: what changes by itself is no tie.
 */
async function checkOnOneSideOfTies(
  network: RecordedNetwork,
  recorded: RecordedCase,
  image: Float32Array,
  gradients: Gradients,
  gradientsOf: (pixels: Float32Array) => Promise<Gradients>,
): Promise<void> {
  const mismatch = (candidate: Gradients): Error | null => {
    try {
      checkGradients(network, recorded, candidate);
      return null;
    } catch (error) {
      return error as Error;
    }
  };
  const first = mismatch(gradients);
  if (!first) return;
  for (const [name, again] of await gradientsOf(image)) {
    const before = gradients.get(name);
    const same = before
      ? again && Array.prototype.every.call(before, (value, i) => Object.is(value, again[i]))
      : !again;
    if (!same) throw new Error(`${recorded.id}: the same image gave ${name} another gradient; ${first.message}`);
  }
  for (let neighbour = 1; neighbour <= NEIGHBOURS; neighbour++) {
    const random = randomStream(neighbour, 'neighbour');
    const pixels = image.map((value) => value * random.uniform(1 - 6e-8, 1 + 6e-8));
    if (mismatch(await gradientsOf(pixels))) continue;
    console.log(
      `${recorded.id}: a tie fell to the other side (${first.message}); all gradients match at neighbour ${neighbour}.`,
    );
    return;
  }
  throw first;
}

/** The schemes' objective and its derivatives in ln sigma, from the recorded losses. */
async function checkWeighted(network: RecordedNetwork, recorded: RecordedCase, losses: { ce: number; kl: number }) {
  const gpu = await testGpu();
  const { lgSigmaClass, lgSigmaImage, ...variants } = recorded.weighted!;
  for (const [variant, expected] of Object.entries(variants)) {
    const scheme = new UncertaintyScheme(gpu, { ...schemes.mtls1, halfSaliency: variant === 'asCoded' });
    const values = { lg_sigma_class: lgSigmaClass, lg_sigma_image: lgSigmaImage };
    const tensors = new Map(
      Object.entries(values).map(([name, value]) => [name, { shape: [], values: Float32Array.of(value) }]),
    );
    scheme.loadStateDict({ tensors, counters: new Map() });
    const sigmas = Object.fromEntries([...scheme.parameters()].map(({ name, tensor }) => [name, tensor as Scalar]));
    const got = await gpu.step(() => {
      const loss = scheme.call({
        saliency: upload(gpu, '', [], [losses.kl]),
        diagnosis: upload(gpu, '', [], [losses.ce]),
      });
      backward(loss);
      return {
        loss,
        dLgClass: sigmas.lg_sigma_class.gradient as Scalar,
        dLgImage: sigmas.lg_sigma_image.gradient as Scalar,
      };
    });
    for (const [name, value] of Object.entries(expected)) {
      const error = Math.abs(got[name as 'loss'] - value) / Math.max(Math.abs(value), 0.01);
      expect(error, `${network.net} weighted ${variant} ${name}`).toBeLessThanOrEqual(2 * network.tolerances.loss);
    }
    scheme.dispose();
  }
}
