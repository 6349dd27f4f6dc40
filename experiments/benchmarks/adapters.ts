/** How far two adapters part in the same training: gradients of the first step, and losses over ten. */
import { batches } from '../../src/data/batches.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { backward, type Gpu, openGpu, type Tensor } from '../../src/engine/index.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import { makeScheme } from '../../src/mtunet/schemes/index.ts';
import { Trainer } from '../../src/mtunet/train.ts';

const STEPS = 10;
const config = resolveConfig('tiny', { scheme: { name: 'mtls1' } });
const { height, width, batchSize, seed } = config;

interface Training {
  readonly adapter: string;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
}

async function train(gpu: Gpu): Promise<Training> {
  const dataset = syntheticChests({ ...config.synthetic, height, width });
  const [batch] = batches(dataset.train, { batchSize, seed, epoch: 1 });
  using model = buildNetwork(gpu, config.network, dataset.classNames.length, seed);
  using scheme = makeScheme(gpu, config.scheme, seed);
  model.train();
  const parameters = [...model.parameters()];
  const gradients = await gpu.step(() => {
    backward(scheme.call(predictBatch(gpu, model, batch, config).losses));
    return parameters.map(({ tensor }) => tensor.gradient as Tensor<'C'>);
  });
  const losses: number[] = [];
  const stop = new AbortController();
  using trainer = new Trainer(gpu, config, dataset, {
    step({ loss, step }) {
      losses.push(loss);
      if (step === STEPS) stop.abort();
    },
  });
  await trainer.run(stop.signal);
  return {
    adapter: gpu.description.name,
    gradients: new Map(parameters.map(({ name }, i) => [name, gradients[i]])),
    losses,
  };
}

const largest = (values: Iterable<number>) => [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The embedded adapter against the one that is found. */
export async function compareAdapters(): Promise<Record<string, string | number>> {
  const sides: Training[] = [];
  for (const options of [{}, { prefer: 'embedded' }] as const) {
    using gpu = await openGpu(options);
    sides.push(await train(gpu));
  }
  const [one, other] = sides;
  // A parameter whose gradient is 0 but for rounding (a bias before batch normalization) has no relative difference.
  const all = largest([...one.gradients.values()].map(largest));
  let worst = { name: '', difference: 0 };
  for (const [name, values] of one.gradients) {
    const scale = largest(values);
    if (scale < 1e-5 * all) continue;
    const difference = largest(values.map((value, i) => value - other.gradients.get(name)![i])) / scale;
    if (difference > worst.difference) worst = { name, difference };
  }
  const apart = (step: number) => Math.abs(one.losses[step - 1] / other.losses[step - 1] - 1);
  return {
    adapters: sides.map(({ adapter }) => adapter).join(' and '),
    'largest difference of a first gradient over the largest of its tensor': worst.difference,
    'in the tensor': worst.name,
    'relative difference of the loss at step 1': apart(1),
    [`relative difference of the loss at step ${STEPS}`]: apart(STEPS),
  };
}
