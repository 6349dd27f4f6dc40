/** Published weights: other names, other classes, other channels, other files; and a list of everything that is not taken as it is. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type StateDict, writeSafetensors } from '../../src/engine/index.ts';
import { writeCheckpoint, writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { networkNames } from '../../src/mtunet/networks.ts';
import { makeScheme } from '../../src/mtunet/schemes/index.ts';
import { readWeightFile } from '../../src/mtunet/weight-file.ts';
import { deviations, fitWeights, overlaid, WeightFitError } from '../../src/mtunet/weight-fit.ts';
import { canonicalName } from '../../src/mtunet/weight-names.ts';
import { fitAgain, gpu, network, numbered, renamed } from '../support/numbered-network.ts';
import { goldenFolder } from '../support/oracle.ts';

const without = <T>(map: ReadonlyMap<string, T>, unwanted: (name: string) => boolean) =>
  new Map([...map].filter(([name]) => !unwanted(name)));

describe.each(networkNames)('%s', (name) => {
  // The large ones by their names alone: their values would fill the memory.
  it('has names that no alias changes', () => {
    using model = network(name);
    for (const entry of model.entries()) expect(canonicalName(name, entry.name)).toBe(entry.name);
  });
});

describe.each(networkNames.filter((name) => name.includes('unet')))('weights of %s', (name) => {
  it('come back exactly, also from behind a wrapper, and without counters', () => {
    using model = network(name);
    const state = numbered(model);
    for (const given of [state, renamed(state, (own) => `module.${own}`), { ...state, counters: new Map() }]) {
      const result = fitAgain(name, model, given);
      expect(deviations(result)).toEqual([]);
      expect(result.state.tensors).toEqual(state.tensors);
      expect(overlaid(state, result.state)).toEqual(state);
    }
  });

  it('are listed where they are missing or too many', () => {
    using model = network(name);
    const state = numbered(model);
    const tensors = new Map([
      ...without(state.tensors, (own) => own === 'Conv2.3.weight'),
      ['lg_sigma_class', { shape: [], values: Float32Array.of(1) }] as const,
    ]);
    expect(deviations(fitAgain(name, model, { ...state, tensors }))).toEqual([
      'ignored: lg_sigma_class',
      'missing: Conv2.3.weight',
    ]);
  });

  it('of another width are refused with both shapes', () => {
    using narrow = network(name);
    using wide = network(name, { base: 4 });
    expect(() => fitAgain(name, narrow, numbered(wide))).toThrow(WeightFitError);
    expect(() => fitAgain(name, narrow, numbered(wide))).toThrow(/\[4, 1, 3, 3\] in the file and \[2, 1, 3, 3\]/);
  });
});

it('leaves the head as it began when the classes differ, and says so', () => {
  using three = network('mt-unet');
  using fourteen = network('mt-unet', { classes: 14 });
  const result = fitAgain('mt-unet', three, numbered(fourteen));
  expect(result.reinitialised.map(({ name }) => name)).toEqual([
    'out_classification.linear_2.weight',
    'out_classification.linear_2.bias',
  ]);
  expect(result.missing).toEqual([]);
  expect(result.state.tensors.has('out_classification.linear_2.weight')).toBe(false);
  expect(deviations(result)[0]).toMatch(/re-initialised: .* \[14, 2\] in the file and \[3, 2\] here/);
});

it('sums the first convolution over the colours for a film, and spreads it over them', () => {
  using grey = network('unet-s');
  using colour = network('unet-s', { channels: 3 });
  const state = numbered(colour);
  const { values } = state.tensors.get('Conv1.0.weight')!; // 2 3 3 3
  const down = fitAgain('unet-s', grey, state);
  const summed = down.state.tensors.get('Conv1.0.weight')!;
  expect(summed.shape).toEqual([2, 1, 3, 3]);
  expect(Array.from(summed.values)).toEqual(
    Array.from({ length: 18 }, (_, i) => {
      const at = i < 9 ? i : 27 + i - 9;
      return values[at] + values[at + 9] + values[at + 18];
    }),
  );
  expect(deviations(down)).toEqual([expect.stringMatching(/^reshaped: Conv1.0.weight .*: exact for a grey film$/)]);
  const up = fitAgain('unet-s', colour, down.state).state.tensors.get('Conv1.0.weight')!;
  expect(up.values[27 + 9 + 4]).toBe(Math.fround(summed.values[9 + 4] / 3));
});

it('says where the sum over the colours is not exact', () => {
  using grey = network('resnet50');
  const weight = { dtype: 'F32', shape: [64, 3, 7, 7], data: new Float32Array(64 * 147) } as const;
  const file = readWeightFile(writeSafetensors(new Map([['conv1.weight', weight]])));
  expect(fitWeights('resnet50', grey, file).reshaped[0].how).toMatch(/not exact/);
});

it("maps every one of timm's names of EfficientNetV2-S", () => {
  const tables = readdirSync(join(goldenFolder, 'names')).filter((name) => name.endsWith('_tv_to_timm.tsv'));
  expect(tables.length).toBeGreaterThan(0);
  using model = network('efficientnet-v2-s');
  const own = new Set([...model.entries()].map(({ name }) => name));
  const rows = readFileSync(join(goldenFolder, 'names', tables[0]), 'utf8')
    .trim()
    .split('\n');
  for (const row of rows) {
    const [torchvision, timm] = row.split('\t');
    expect(own).toContain(torchvision);
    expect(canonicalName('efficientnet-v2-s', timm)).toBe(torchvision);
  }
  expect(rows.length).toBe(own.size);
});

/** timm's name of a tensor of SimpleNet's encoder, or null outside of it: written from timm's modules, the other way round. */
function timmPnasNet(own: string): string | null {
  const [, place, rest] = /^pnas\.(stem1|stem2|cells\.\d+)\.(.*)$/.exec(own) ?? [];
  if (!place) {
    const top = own.match(/^pnas\.(conv0_bn|conv0|classifier)\.(.*)$/);
    const names: Record<string, string> = { conv0: 'conv_0.conv', conv0_bn: 'conv_0.bn', classifier: 'last_linear' };
    return top && `${names[top[1]]}.${top[2]}`;
  }
  const cell = place.replace('stem1', 'cell_stem_0').replace('stem2', 'cell_stem_1').replace('cells.', 'cell_');
  const [, operation, tail] = /^_ops\.(\d)\.(.*)$/.exec(rest) ?? [];
  if (!operation) {
    return `${cell}.${rest
      .replace(/^preprocess(\d)/, (_, i) => (i === '0' ? 'conv_prev_1x1' : 'conv_1x1'))
      .replace('op.1.', 'conv.')
      .replace('op.2.', 'bn.')
      .replace('conv_1.', 'path_1.conv.')
      .replace('conv_2.', 'path_2.conv.')
      .replace(/1x1\.bn\.(?=.*)/, (bn) => (rest.startsWith('preprocess0.bn') ? '1x1.final_path_bn.' : bn))}`;
  }
  const branch = `${cell}.comb_iter_${Math.floor(Number(operation) / 2)}_${Number(operation) % 2 === 0 ? 'left' : 'right'}`;
  const separable = ['0', '2', '4', '5', '6', '8'].includes(operation);
  const parts = separable
    ? {
        'op.1.': 'separable_1.depthwise_conv2d.',
        'op.2.': 'separable_1.pointwise_conv2d.',
        'op.3.': 'bn_sep_1.',
        'op.5.': 'separable_2.depthwise_conv2d.',
        'op.6.': 'separable_2.pointwise_conv2d.',
        'op.7.': 'bn_sep_2.',
      }
    : operation === '9'
      ? { 'op.1.': 'conv.', 'op.2.': 'bn.' }
      : { '1.': 'conv.', '2.': 'bn.' };
  const [from, to] = Object.entries(parts).find(([start]) => tail.startsWith(start))!;
  return `${branch}.${to}${tail.slice(from.length)}`;
}

it("maps every one of timm's names of PNASNet-5-Large", () => {
  using model = network('simplenet');
  let count = 0;
  for (const { name } of model.entries()) {
    const timm = timmPnasNet(name);
    if (timm === null) continue;
    expect(canonicalName('simplenet', timm)).toBe(name);
    count++;
  }
  expect(count).toBe([...model.entries()].filter(({ name }) => name.startsWith('pnas.')).length);
  expect(canonicalName('simplenet', 'cell_stem_0.comb_iter_0_right.conv.weight')).toBe('pnas.stem1._ops.1.1.weight');
  expect(canonicalName('simplenet', 'cell_5.conv_prev_1x1.final_path_bn.weight')).toBe(
    'pnas.cells.5.preprocess0.bn.weight',
  );
});

it("maps every TensorFlow variable of MSI-Net, with its kernel's axes", () => {
  using model = network('msi-net');
  const vgg = ['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '3_3', '4_1', '4_2', '4_3', '5_1', '5_2', '5_3'];
  const variables = [
    ...vgg.map((place) => `conv${place[0]}/conv${place}`),
    ...['conv1_1', 'conv1_2', 'conv1_3', 'conv1_4', 'conv1_5', 'conv2'].map((name) => `aspp/${name}`),
    ...['conv1', 'conv2', 'conv3', 'conv4'].map((name) => `decoder/${name}`),
  ].flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
  // In the order of both lists, which are the network's from the input to the output.
  const own = [...model.entries()].map(({ name }) => name);
  expect(variables.map((name) => canonicalName('msi-net', name))).toEqual(own);
  expect(variables.map((name) => canonicalName('msi-net', `${name}:0`))).toEqual(own);
});

it("brings TensorFlow's kernels into the order of the axes here, and lists it", () => {
  using model = network('msi-net');
  const kernel = (shape: number[]) => ({
    dtype: 'F32' as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((product, length) => product * length, 1) }, (_, i) => i),
  });
  const [R, S, C, O] = [3, 3, 64, 64];
  const file = readWeightFile(
    writeSafetensors(
      new Map([
        ['conv1/conv1_1/kernel', kernel([3, 3, 3, 64])],
        ['conv1/conv1_2/kernel', kernel([R, S, C, O])],
        ['conv1/conv1_2/kernel/Adam', kernel([R, S, C, O])],
      ]),
    ),
  );
  const result = fitWeights('msi-net', model, file);
  const { values } = result.state.tensors.get('features.2.weight')!;
  for (const [o, c, r, s] of [
    [0, 0, 0, 0],
    [63, 1, 2, 0],
    [5, 40, 1, 2],
  ])
    expect(values[((o * C + c) * R + r) * S + s]).toBe(((r * S + s) * C + c) * O + o);
  const first = result.state.tensors.get('features.0.weight')!;
  expect(first.shape).toEqual([64, 1, 3, 3]);
  const at = (r: number, s: number, c: number, o: number) => ((r * 3 + s) * 3 + c) * 64 + o;
  expect(first.values[(7 * 3 + 1) * 3 + 2]).toBe(at(1, 2, 0, 7) + at(1, 2, 1, 7) + at(1, 2, 2, 7));
  expect(result.ignored).toEqual(['conv1/conv1_2/kernel/Adam']);
  expect(result.reshaped.map(({ name, how }) => [name, how.split(':')[0]])).toEqual([
    ['features.0.weight', "TensorFlow's axes R S C O to O C R S"],
    ['features.2.weight', "TensorFlow's axes R S C O to O C R S"],
  ]);
});

describe("a released MT-UNet file's ln sigma", () => {
  const { scheme: options } = resolveConfig('tiny');
  using model = network('mt-unet');
  const state = numbered(model);
  const scalar = (value: number) => ({ shape: [], values: Float32Array.of(value) });
  const tensors = new Map([...state.tensors, ['lg_sigma_class', scalar(0.5)], ['lg_sigma_image', scalar(-1)]] as const);
  const file = readWeightFile(writeWeights({ ...state, tensors }));
  it.each([
    { name: 'mtls1', sigmaParameter: 'log', taken: { lg_sigma_class: 0.5, lg_sigma_image: -1 } },
    { name: 'mtls3', sigmaParameter: 'log', taken: { lg_sigma_class: 0.5 } },
    { name: 'mtls2', sigmaParameter: 'direct', taken: { sigma_image: Math.fround(Math.exp(-1)) } },
    { name: 'sum', sigmaParameter: 'log', taken: {} },
    { name: 'kendall', sigmaParameter: 'log', taken: {} },
  ] as const)('begins that of $name ($sigmaParameter) where it has one', ({ name, sigmaParameter, taken }) => {
    using scheme = makeScheme(gpu, { ...options, name, sigmaParameter }, 1);
    const result = fitWeights('mt-unet', model, file, scheme);
    const values = [...result.scheme.tensors].map(([own, tensor]) => [own, tensor.values[0]]);
    expect(Object.fromEntries(values)).toEqual(taken);
    expect(result.ignored.length).toBe(2 - values.length);
    expect(deviations(result)).toEqual(result.ignored.map((ignored) => `ignored: ${ignored}`));
  });
});

it("takes the authors' second names of VGG-SSM's encoder and torchvision's names, and refuses two values for one name", () => {
  using model = network('vgg-ssm');
  const bias = (value: number) => ({ dtype: 'F32', shape: [64], data: new Float32Array(64).fill(value) }) as const;
  const file = (entries: [string, ReturnType<typeof bias>][]) => readWeightFile(writeSafetensors(new Map(entries)));
  const same = fitWeights(
    'vgg-ssm',
    model,
    file([
      ['vgg.0.bias', bias(1)],
      ['conv_layer1.0.bias', bias(1)],
    ]),
  );
  expect(same.ignored).toEqual(['conv_layer1.0.bias']);
  expect(same.state.tensors.get('vgg.0.bias')!.values[63]).toBe(1);
  const torchvision = fitWeights('vgg-ssm', model, file([['features.0.bias', bias(2)]]));
  expect(torchvision.renamed).toEqual([{ from: 'features.0.bias', to: 'vgg.0.bias' }]);
  expect(() =>
    fitWeights(
      'vgg-ssm',
      model,
      file([
        ['vgg.0.bias', bias(1)],
        ['features.0.bias', bias(2)],
      ]),
    ),
  ).toThrow(/vgg.0.bias both stand|both stand for vgg.0.bias/);
});

it.each<[string, string | Uint8Array, RegExp]>([
  ['nothing', '', /is empty \(0 bytes\)/],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', /is a Git LFS pointer/],
  ['a web page', '<!DOCTYPE html><html></html>', /is a web page/],
  ['the index of several files', '{"metadata": {}, "weight_map": {}}', /is JSON/],
  ['HDF5', '\x89HDF\r\n\x1a\n', /HDF5/],
  ['gzip', '\x1f\x8b\x08\0', /gzip/],
  ['a tar archive', Uint8Array.from({ length: 512 }, (_, i) => 'ustar'.charCodeAt(i - 257) || 0), /tar archive/],
  ['an array of NumPy', '\x93NUMPY\x01\0', /array of NumPy/],
])('calls a file that is %s by its name', (_, content, sentence) => {
  const bytes = typeof content === 'string' ? Uint8Array.from(content, (letter) => letter.charCodeAt(0)) : content;
  expect(() => readWeightFile(bytes)).toThrow(sentence);
});

it('takes the best network of a checkpoint', () => {
  using model = network('mt-unet');
  const [current, best] = [numbered(model), numbered(model)];
  best.tensors.get('Conv1.0.bias')!.values[0] = -1;
  const empty = { tensors: new Map(), counters: new Map() };
  const snapshot = (state: StateDict) => ({
    network: state,
    scheme: empty,
    memory: null,
    optimizer: { steps: 1, learningRate: 1, moments: new Map() },
  });
  const read = (bestOne: StateDict | null) =>
    readWeightFile(writeCheckpoint({ current: snapshot(current), best: bestOne && snapshot(bestOne), progress: {} }));
  const biasOf = (state: StateDict | null) => read(state).tensors.get('Conv1.0.bias')!.toFloat32()[0];
  expect(biasOf(best)).toBe(-1);
  expect(read(best).ignored).toEqual([`network/* (${current.tensors.size} tensors)`]);
  expect(biasOf(null)).toBe(current.tensors.get('Conv1.0.bias')!.values[0]);
});

it('refuses weights that have nothing in common with the network', () => {
  using model = network('mt-unet');
  const foreign = { dtype: 'F32', shape: [1], data: new Float32Array(1) } as const;
  const file = readWeightFile(writeSafetensors(new Map([['other.weight', foreign]])));
  expect(() => fitWeights('mt-unet', model, file)).toThrow(/None of the file's 1 tensors \(other.weight\)/);
});

it('of any names and shapes, ends in a fit that the network can load or in one sentence', () => {
  using model = network('mt-unet');
  const state = numbered(model);
  const names = [...state.tensors.keys(), 'dummy_tensor', 'Conv1.1.num_batches_tracked', 'x', '__proto__'];
  const shape = fc.array(fc.constantFrom<number>(0, 1, 2, 3, 4, 32), { maxLength: 4 });
  const file = fc.dictionary(fc.constantFrom(...names), shape, { maxKeys: 6 });
  fc.assert(
    fc.property(file, (shapes) => {
      const entries = Object.entries(shapes).map(([name, lengths]) => {
        const size = lengths.reduce((product, length) => product * length, 1);
        return [name, { dtype: 'F32', shape: lengths, data: new Float32Array(size) }] as const;
      });
      try {
        const result = fitWeights('mt-unet', model, readWeightFile(writeSafetensors(new Map(entries))));
        model.loadStateDict(overlaid(state, result.state));
      } catch (error) {
        expect(error).toBeInstanceOf(WeightFitError);
      }
    }),
    { numRuns: 300 },
  );
});
