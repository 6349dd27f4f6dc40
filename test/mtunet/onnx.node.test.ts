/** Recorded networks leave as ONNX, and another engine computes from it what ours does. */
import { readdirSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { upload, withoutGradient } from '../../src/engine/index.ts';
import { onnxModel } from '../../src/mtunet/onnx.ts';
import { testGpu } from '../support/gpu.ts';
import { recordedArchitecture } from '../support/recorded-architectures.ts';
import { type RecordedNetwork, recordedImage, recordedWeights } from '../support/recorded-network.ts';

ort.env.wasm.numThreads = 1;
/** Relative to the largest value of an output. */
const TOLERANCE = 1e-4;

const folder = `${process.env.GOLDEN ?? 'test/golden'}/networks`;
/** The U-Nets in the suite; with ONNX=all every recorded network, some of which take minutes here: npm run test:onnx. */
const isTaken = (file: string) =>
  file.endsWith('.json') && (process.env.ONNX === 'all' || (file.includes('unet') && !file.includes('base64')));

it.each(readdirSync(folder).filter(isTaken))(
  '%s',
  async (file) => {
    const recorded = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as RecordedNetwork;
    const gpu = await testGpu();
    const [first] = recorded.cases;
    const [, channels, height, width] = first.input.shape;
    const shape = [1, channels, height, width];
    const image = recordedImage(shape, recorded.globalSeed);
    using model = recordedArchitecture(gpu, recorded.arch);
    const state = recordedWeights(recorded);
    model.loadStateDict(state).train(false);
    const own = await gpu.step(() => {
      const { diagnosis, saliency } = withoutGradient(gpu, () => model.call(upload(gpu, 'NCHW', shape, image)));
      return { ...(diagnosis && { diagnosis }), ...(saliency && { saliency }) };
    });

    const bytes = onnxModel((device) => recordedArchitecture(device, recorded.arch), state, { height, width });
    const session = await ort.InferenceSession.create(bytes);
    const other = await session.run({ image: new ort.Tensor('float32', image, shape) });
    expect(Object.keys(other).sort()).toEqual(Object.keys(own).sort());
    for (const [name, values] of Object.entries(own) as [string, Float32Array][]) {
      const theirs = other[name].data as Float32Array;
      expect(theirs.length, name).toBe(values.length);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = values.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
      expect(difference / largest, name).toBeLessThanOrEqual(TOLERANCE);
    }
    await session.release();
  },
  600_000,
);
