/** What a recorded step saves: the training step of preset small, its body run each time and done again from its recording, in turns. */
import { Adam, StepRecorder } from '../../src/engine/index.ts';
import { presets } from '../../src/mtunet/config.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import { makeScheme } from '../../src/mtunet/schemes/index.ts';
import { type Benchmark, cpuOf, median } from './figure.ts';

const CLASSES = 3;

export const recorded: Benchmark = {
  name: 'recorded',
  about: 'JavaScript of a training step of preset small, with its body and from its recording',
  async *run({ gpu, tags, runs }) {
    const { network, scheme: options, height, width, batchSize } = presets.small;
    const model = buildNetwork(gpu, network, CLASSES, 1);
    const scheme = makeScheme(gpu, options, 1);
    const optimizer = new Adam([...model.parameters(), ...scheme.parameters()], { learningRate: 1e-3 });
    const pixels = height * width;
    const images = Float32Array.from({ length: batchSize * pixels }, (_, i) => ((i * 7919) % 1009) / 1009);
    const gaze = new Float32Array(batchSize * pixels).fill(1 / pixels);
    const labels = Uint32Array.from({ length: batchSize }, (_, i) => i % CLASSES);
    const recorder = new StepRecorder(gpu);
    let step = 0;
    const once = async () => {
      let host = 0;
      const started = performance.now();
      await scheme.step({
        gpu,
        parameters: [],
        optimizer,
        step: ++step,
        forward: () => predictBatch(gpu, model, { images, gaze, labels }, { height, width }),
        run: (body) => {
          const arriving = recorder.step('train', [images, gaze, labels], body);
          host = performance.now() - started;
          return arriving;
        },
      });
      return { whole: performance.now() - started, host };
    };
    const seen: Record<'body' | 'recording', { whole: number; host: number; cpu: number }[]> = {
      body: [],
      recording: [],
    };
    const first = await once();
    for (let round = 0; round <= runs; round++) {
      for (const part of ['body', 'recording'] as const) {
        gpu.recordsSteps = part === 'recording';
        let took = { whole: 0, host: 0 };
        const { cpu } = await cpuOf(async () => {
          took = await once();
        });
        if (round > 0) seen[part].push({ ...took, cpu }); // the first round warms up
      }
    }
    gpu.recordsSteps = true;
    for (const part of ['body', 'recording'] as const) {
      const wholes = seen[part].map(({ whole }) => whole);
      const host = median(seen[part].map((took) => took.host));
      const shares = seen[part].map((took) => (100 * took.host) / took.whole);
      const round = (value: number) => Number(value.toFixed(2));
      yield {
        ...tags,
        bench: `training step, preset small, batch ${batchSize}`,
        part,
        median_ms: round(median(wholes)),
        min_ms: round(Math.min(...wholes)),
        max_ms: round(Math.max(...wholes)),
        cpu_ms: round(median(seen[part].map(({ cpu }) => cpu))),
        first_ms: round(first.whole),
        runs,
        host_ms: round(host),
        host_percent: round(median(shares)),
      };
    }
    recorder.dispose();
    optimizer.dispose();
    scheme.dispose();
    model.dispose();
  },
};
