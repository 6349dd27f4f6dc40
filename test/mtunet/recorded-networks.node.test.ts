/** The U-Net family against golden/networks: outputs, losses, gradients and running statistics of every case that the folder holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
import { MTUNet, type MTUNetConfig } from '../../src/mtunet/model.ts';
import type { Prediction } from '../../src/mtunet/network.ts';
import { schemes, UncertaintyScheme } from '../../src/mtunet/schemes/uncertainty.ts';
import { testGpu } from '../support/gpu.ts';
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

const folder = `${process.env.GOLDEN ?? 'test/golden'}/networks`;
const networks = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as RecordedNetwork)
  .filter(({ arch }) => arch.family === 'mt_unet');

function configOf({ arch }: RecordedNetwork): MTUNetConfig {
  return {
    base: arch.base,
    inputChannels: arch.inChannels,
    classes: arch.classes ?? 0,
    diagnosis: arch.classes === null ? 'none' : (arch.features as 'both'),
    saliency: arch.image ? 'conv' : 'none',
    dropout: 0,
  };
}

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

describe('recorded U-Nets', () => {
  it('are there', () => {
    expect(networks.length).toBeGreaterThan(0);
  });

  for (const network of networks) {
    it(`${network.net} has the recorded parameters by name, shape and count`, async () => {
      const gpu = await testGpu();
      using model = new MTUNet(gpu, configOf(network));
      const entries = [...model.entries()].map(({ name, member }) => [
        name,
        'shape' in member ? [...member.shape] : [],
      ]);
      expect(entries).toEqual(network.tensors.map(([name, shape]) => [name, shape]));
      expect(model.parameterCount).toBe(network.params);
    });

    for (const recorded of network.cases) {
      it(`${recorded.id} matches`, async () => {
        const gpu = await testGpu();
        using model = new MTUNet(gpu, configOf(network));
        model.loadStateDict(recordedWeights(network));
        const image = recordedImage(recorded.input.shape, network.globalSeed);
        const run = () => model.call(upload(gpu, 'NCHW', recorded.input.shape, image, 'input'));

        model.train(false);
        const evaluated = await gpu.step(() =>
          withoutGradient(gpu, () => {
            const prediction = run();
            return {
              cls: prediction.diagnosis as Tensor<'NC'>,
              sal: prediction.saliency as Tensor<'NHW'>,
              loss: lossesOf(prediction, network, recorded),
            };
          }),
        );
        const outputs = (mode: 'eval' | 'train', got: { cls: Float32Array; sal: Float32Array }) => {
          for (const [kind, samples] of Object.entries(recorded[mode]))
            checkOutput(network, mode, kind, samples, got[kind as 'cls']);
        };
        outputs('eval', evaluated);
        checkLoss(network, recorded.evalLoss, evaluated.loss as Record<string, number>, 'evalLoss');

        model.train();
        const parameters = [...model.parameters()];
        const trained = await gpu.step(() => {
          const prediction = run();
          prediction.diagnosis?.keep();
          prediction.saliency?.keep();
          const loss = lossesOf(prediction, network, recorded);
          backward(loss.total);
          const gradients = parameters.map(({ tensor }) => tensor.gradient as Tensor<'C'>);
          return {
            cls: prediction.diagnosis as Tensor<'NC'>,
            sal: prediction.saliency as Tensor<'NHW'>,
            loss,
            gradients,
          };
        });
        outputs('train', trained);
        checkLoss(network, recorded.loss, trained.loss as Record<string, number>, 'loss');
        checkGradients(network, recorded, new Map(parameters.map(({ name }, i) => [name, trained.gradients[i]])));
        const state = await model.stateDict();
        checkStatistics(network, recorded, new Map([...state.tensors].map(([name, { values }]) => [name, values])));
        for (const [name, count] of state.counters)
          expect(count, name).toBe(name.endsWith('num_batches_tracked') ? 1 : 0);
        if (recorded.weighted) await checkWeighted(network, recorded, trained.loss as { ce: number; kl: number });
      });
    }
  }
});

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
