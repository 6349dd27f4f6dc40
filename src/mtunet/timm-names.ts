/** timm's names of two networks' tensors: patterns, and the names that stand for them here. */

type Aliases = readonly (readonly [RegExp, string])[];

/** Convolutions of a block of EfficientNetV2-S by timm's stage; null is squeeze-and-excite, which comes third. */
const stages: readonly (readonly (string | null)[])[] = [
  ['conv'],
  ['conv_exp', 'conv_pwl'],
  ['conv_exp', 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
];

/** To torchvision's. */
export const timmEfficientNet: Aliases = [
  [/^conv_stem\./, 'features.0.0.'],
  [/^bn1\./, 'features.0.1.'],
  [/^conv_head\./, 'features.7.0.'],
  [/^bn2\./, 'features.7.1.'],
  [/^classifier\.(weight|bias)$/, 'classifier.1.$1'],
  ...stages.flatMap((steps, stage) => {
    const inBlock = (name: string) => new RegExp(`^blocks\\.${stage}\\.(\\d+)\\.${name}\\.`);
    return steps.flatMap((convolution, step): [RegExp, string][] => {
      const place = `features.${stage + 1}.$1.block.${step}`;
      if (convolution === null) {
        return [
          [inBlock('se\\.conv_reduce'), `${place}.fc1.`],
          [inBlock('se\\.conv_expand'), `${place}.fc2.`],
        ];
      }
      const norm = steps.slice(0, step + 1).filter((name) => name !== null).length;
      return [
        [inBlock(convolution), `${place}.0.`],
        [inBlock(`bn${norm}`), `${place}.1.`],
      ];
    });
  }),
];

/** The two branches of a cell's five nodes: separable convolutions, ... */
const separable: readonly (readonly [branch: string, operation: number])[] = [
  ['0_left', 0],
  ['1_left', 2],
  ['2_left', 4],
  ['2_right', 5],
  ['3_left', 6],
  ['4_left', 8],
];

/** ... their members in order, under the numbers that they have in a sequence with the ReLUs, ... */
const members: readonly (readonly [name: string, place: number])[] = [
  ['separable_1.depthwise_conv2d', 1],
  ['separable_1.pointwise_conv2d', 2],
  ['bn_sep_1', 3],
  ['separable_2.depthwise_conv2d', 5],
  ['separable_2.pointwise_conv2d', 6],
  ['bn_sep_2', 7],
];

/** ... and everything else in a cell. */
const inCell: readonly (readonly [name: string, here: string])[] = [
  ['conv_1x1.conv', 'preprocess1.op.1'],
  ['conv_1x1.bn', 'preprocess1.op.2'],
  ['conv_prev_1x1.conv', 'preprocess0.op.1'],
  ['conv_prev_1x1.bn', 'preprocess0.op.2'],
  ['conv_prev_1x1.path_1.conv', 'preprocess0.conv_1'],
  ['conv_prev_1x1.path_2.conv', 'preprocess0.conv_2'],
  ['conv_prev_1x1.final_path_bn', 'preprocess0.bn'],
  ['comb_iter_0_right.conv', '_ops.1.1'],
  ['comb_iter_0_right.bn', '_ops.1.2'],
  ['comb_iter_4_right.conv', '_ops.9.op.1'],
  ['comb_iter_4_right.bn', '_ops.9.op.2'],
  ...separable.flatMap(([branch, operation]) =>
    members.map(([name, place]) => [`comb_iter_${branch}.${name}`, `_ops.${operation}.op.${place}`] as const),
  ),
];

const cells: readonly (readonly [timm: string, here: string])[] = [
  ['cell_stem_0', 'stem1'],
  ['cell_stem_1', 'stem2'],
  ['cell_(\\d+)', 'cells.$1'],
];

/** To those of the authors' port, which SimpleNet keeps under `pnas.`. timm pads its strided windows at the end, the port on both sides. */
export const timmPnasNet: Aliases = [
  [/^conv_0\.conv\./, 'pnas.conv0.'],
  [/^conv_0\.bn\./, 'pnas.conv0_bn.'],
  [/^last_linear\./, 'pnas.classifier.'],
  ...cells.flatMap(([cell, here]) =>
    inCell.map(
      ([name, place]) =>
        [new RegExp(`^${cell}\\.${name.replaceAll('.', '\\.')}\\.`), `pnas.${here}.${place}.`] as const,
    ),
  ),
];
