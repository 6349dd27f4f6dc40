/** Looks inside a network: what every operation made of one film, which kernels ran, and how long each takes. */

import type { Command } from '../../engine/gpu.ts';
import {
  backward,
  conv2d,
  crossEntropy,
  type Gpu,
  Module,
  multiply,
  parameter,
  softplus,
  sum,
  type Tensor,
  upload,
} from '../../engine/index.ts';
import { deriveKey, uniform } from '../../engine/random.ts';
import type { Network } from '../../mtunet/network.ts';
import type { GradientCheck, Operation, Stage } from './protocol.ts';

const CHANNELS = 16;
const REPEATS = 5;

/** The operations of a forward pass in evaluation mode, in their order. */
export async function operations(
  gpu: Gpu,
  model: Network,
  image: Float32Array,
  { height, width }: { height: number; width: number },
): Promise<Operation[]> {
  model.train(false);
  const made: { tensor: Tensor; layer: string; commands: Command[] }[] = [];
  const layers = followLayers(model);
  let pending: Command[] = [];
  const record = gpu.record;
  const maps = await (() => {
    gpu.record = (command) => {
      pending.push(command);
      record.call(gpu, command);
    };
    gpu.onTensor = (tensor) => {
      // Views and parameters are made without a command.
      if (pending.length) made.push({ tensor: tensor.keep(), layer: layers.current(), commands: pending });
      pending = [];
    };
    try {
      return gpu.step(() => {
        model.call(upload(gpu, 'NCHW', [1, 1, height, width], image));
        return made.filter(({ tensor }) => tensor.isAlive).map(({ tensor }) => tensor) as Tensor<'C'>[];
      });
    } finally {
      gpu.record = record;
      gpu.onTensor = null;
      layers.stop();
    }
  })();
  const told: Operation[] = [];
  for (const [index, { tensor, layer, commands }] of made.entries()) {
    const shape = tensor.axes === 'NCHW' ? tensor.shape.slice(1) : [tensor.size, 1, 1];
    const [channels, rows, columns] = shape;
    const kernels: { name: string; code: string; ms: number }[] = [];
    for (const command of commands) {
      if (command.kind === 'dispatch') {
        kernels.push({
          name: command.name,
          code: codes.get(gpu)?.get(command.name) ?? '',
          ms: await timeOf(gpu, command),
        });
      }
    }
    const values = maps[index] as unknown as Float32Array;
    const shown = Math.min(CHANNELS, channels) * rows * columns;
    const parameters = told.some((one) => one.layer === layer) ? 0 : (layers.parameters.get(layer) ?? 0);
    told.push({ index, name: tensor.name, layer, shape, kernels, maps: values.slice(0, shown), parameters });
  }
  return told;
}

/** The network's parts and how many parameters each has. */
export function stagesOf(model: Network): Stage[] {
  const sizes = new Map<string, number>();
  for (const { name, tensor } of model.parameters()) {
    const [stage] = name.split('.');
    sizes.set(stage, (sizes.get(stage) ?? 0) + tensor.size);
  }
  return [...sizes].map(([name, parameters]) => ({ name, parameters }));
}

/** Tells at any time which layer is being called: a module that has parameters and no modules. */
function followLayers(model: Network) {
  const parameters = new Map<string, number>();
  const called: string[] = [];
  const followed: Module[] = [];
  for (const { name, module } of model.modules()) {
    const members = Object.values(module.members());
    const own = [...module.parameters()];
    if (own.length === 0 || members.some((member) => member instanceof Module)) continue;
    parameters.set(
      name,
      own.reduce((total, { tensor }) => total + tensor.size, 0),
    );
    const layer = module as Module & { call(...inputs: unknown[]): unknown };
    const call = layer.call.bind(layer);
    layer.call = (...inputs) => {
      called.push(name);
      try {
        return call(...inputs);
      } finally {
        called.pop();
      }
    };
    followed.push(layer);
  }
  return {
    parameters,
    current: () => called.at(-1) ?? '',
    /** The layers are as they were. */
    stop: () => {
      for (const layer of followed) delete (layer as { call?: unknown }).call;
    },
  };
}

const codes = new WeakMap<Gpu, Map<string, string>>();

/** From now on remembers the code of every shader that is compiled, as it is compiled. */
export function keepCodes(gpu: Gpu): void {
  const known = new Map<string, string>();
  codes.set(gpu, known);
  const { device } = gpu;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    known.set(descriptor.label ?? '', descriptor.code);
    return compile(descriptor);
  };
}

/** Milliseconds of one dispatch: several in a row on the buffers that it used, which no one reads any more. */
async function timeOf(
  { device }: Gpu,
  { pipeline, bindGroup, x, y, z }: Command & { kind: 'dispatch' },
): Promise<number> {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  for (let i = 0; i < REPEATS; i++) pass.dispatchWorkgroups(x, y, z);
  pass.end();
  const commands = encoder.finish();
  await device.queue.onSubmittedWorkDone();
  const started = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - started) / REPEATS;
}

const CHECKS = {
  softplus: (x: Tensor<'NC'>) => softplus(x),
  'conv2d 3 x 3': (x: Tensor<'NC'>, gpu: Gpu) =>
    conv2d(
      x.view('NCHW', [1, 1, 4, 6]),
      upload(gpu, 'OCRS', [1, 1, 3, 3], noise(9, 'w')),
      upload(gpu, 'C', [1], noise(1, 'b')),
      { padding: 1 },
    ),
  'cross-entropy': (x: Tensor<'NC'>, gpu: Gpu) => crossEntropy(x, upload(gpu, 'N', [4], Uint32Array.of(0, 2, 5, 1))),
} as const;

/** Names of the operations that can be checked. */
export const CHECKED = Object.keys(CHECKS) as (keyof typeof CHECKS)[];

const noise = (size: number, name: string) => uniform(size, -1, 1, deriveKey(8, name));

/**
 * The slope of L = sum(operation(x) * u) along a random direction d, by the backward pass and by (L(x + h d) - L(x - h d)) / 2 h. Both in
 * float32, so they agree to about three digits.
 */
export async function gradientCheck(gpu: Gpu, operation: string): Promise<GradientCheck> {
  const run = CHECKS[operation as keyof typeof CHECKS] ?? CHECKS.softplus;
  const [x, d] = [noise(24, 'x'), noise(24, 'd').map(Math.sign)];
  const step = 0.01;
  const loss = (input: Tensor<'NC'>) => {
    const out = run(input, gpu) as Tensor;
    const upstream = upload(gpu, out.axes, out.shape, noise(out.size, 'u'));
    return sum(multiply(out, upstream), out.axes) as Tensor<''>;
  };
  const at = async (shift: number) =>
    gpu.step(() =>
      loss(
        upload(
          gpu,
          'NC',
          [4, 6],
          x.map((value, i) => value + shift * d[i]),
        ),
      ),
    );
  const input = parameter(gpu, 'NC', [4, 6], x, 'x');
  try {
    const slope = await gpu.step(() => {
      backward(loss(input));
      return input.gradient as Tensor<'NC'>;
    });
    const analytic = slope.reduce((total, value, i) => total + value * d[i], 0);
    const [above, below] = [await at(step), await at(-step)];
    return { operation, analytic, numeric: (above - below) / (2 * step), step };
  } finally {
    input.release();
  }
}
