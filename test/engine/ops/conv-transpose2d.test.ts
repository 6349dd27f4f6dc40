import { describe, expect, it } from 'vitest';
import { convTranspose2d, type Gpu, openGpu, type Shape, upload } from '../../../src/engine/index.ts';
import { convTranspose2d as reference } from '../../../src/reference/conv-transpose2d.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

type Options = { stride?: number; padding?: number; outputPadding?: number; groups?: number };

/** input N C H W, weight C O/groups R S */
const cases: [what: string, input: Shape, weight: Shape, options: Options][] = [
  ['one pixel', [1, 1, 1, 1], [1, 1, 1, 1], {}],
  ['one pixel under 3 x 3', [1, 3, 1, 1], [3, 5, 3, 3], {}],
  ['2 x 2, stride 2', [2, 3, 5, 7], [3, 4, 2, 2], { stride: 2 }],
  ['3 x 3', [2, 5, 7, 5], [5, 3, 3, 3], { padding: 1 }],
  ['3 x 3 that crops', [1, 9, 6, 7], [9, 17, 3, 3], { padding: 2 }],
  ['3 x 3, stride 2, output padding', [1, 3, 4, 5], [3, 2, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  ['4 x 4, stride 2', [1, 2, 5, 3], [2, 3, 4, 4], { stride: 2, padding: 1 }],
  ['5 x 5, stride 3', [1, 2, 4, 4], [2, 3, 5, 5], { stride: 3, padding: 1, outputPadding: 2 }],
  ['1 x 3', [1, 2, 4, 5], [2, 3, 1, 3], {}],
  ['two groups', [1, 4, 5, 6], [4, 3, 3, 3], { padding: 1, groups: 2 }],
  ['depthwise, stride 2', [1, 3, 5, 4], [3, 1, 4, 4], { stride: 2, padding: 1, groups: 3 }],
  ['depthwise, nine channels', [1, 9, 5, 4], [9, 1, 4, 4], { stride: 2, padding: 1, outputPadding: 1, groups: 9 }],
];

function check(input: Shape, weight: Shape, options: Options, gpu?: Gpu) {
  const outputs = weight[1] * (options.groups ?? 1);
  return checkOperation(
    { input: draw('NCHW', input), weight: draw('OCRS', weight), bias: draw('C', [outputs]) },
    ({ input, weight, bias }) => convTranspose2d(input, weight, bias, options),
    (given) => reference(given, options),
    { gpu },
  );
}

describe('convTranspose2d', () => {
  it.each(cases)('of %s', (_, input, weight, options) => check(input, weight, options));

  it('computes the same on a device without subgroups', async () => {
    using gpu = await openGpu({ without: ['subgroups'] });
    for (const [, input, weight, options] of cases) await check(input, weight, options, gpu);
  });

  it('needs no bias', () =>
    checkOperation(
      { input: draw('NCHW', [1, 2, 3, 4]), weight: draw('OCRS', [2, 3, 3, 3]) },
      ({ input, weight }) => convTranspose2d(input, weight, null, { stride: 2 }),
      (given) => reference(given, { stride: 2 }),
    ));

  it('refuses channels that disagree', async () => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() => {
        const input = upload(gpu, 'NCHW', [1, 2, 1, 1], [1, 2], 'image');
        convTranspose2d(input, upload(gpu, 'OCRS', [3, 1, 1, 1], [1, 2, 3], 'w'), null);
      }),
    ).rejects.toThrow(
      /convTranspose2d: channels disagree\. input has C=2, weight expects 3\.\n {2}input {2}N=1 C=2 H=1 W=1 {3}\(image\)\n {2}weight O=3/,
    );
  });
});
