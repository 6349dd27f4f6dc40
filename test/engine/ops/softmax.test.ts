import { describe, expect, it } from 'vitest';
import { logSoftmax, type Shape, softmax, upload } from '../../../src/engine/index.ts';
import * as reference from '../../../src/reference/softmax.ts';
import { draw, map, values } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const operations = { softmax, logSoftmax };
const references = { softmax: reference.softmax, logSoftmax: reference.logSoftmax };
const names = ['softmax', 'logSoftmax'] as const;

const cases: [string, Shape, string][] = [
  ['NC', [1, 1], 'C'],
  ['NC', [3, 3], 'C'],
  ['NC', [5, 17], 'C'],
  ['NC', [70, 2], 'C'],
  ['N', [257], 'N'],
  ['NCHW', [2, 3, 5, 7], 'W'],
  ['NCHW', [2, 1, 9, 7], 'HW'],
  ['NCHW', [2, 3, 5, 7], 'CHW'],
  ['NHW', [3, 31, 33], 'HW'],
  ['NHW', [2, 65, 67], 'HW'],
];

describe.each(names)('%s', (name) => {
  it.each(cases)('of %s %j over %s', (axes, shape, letters) =>
    checkOperation(
      { x: draw(axes, shape, { low: -3, high: 3 }) },
      ({ x }) => operations[name](x, letters),
      ({ x }) => references[name](x, letters),
    ),
  );

  it('of logits of +-300', () =>
    checkOperation(
      { x: values('NC', [3, 3], [300, -300, 0, -300, -299, -301, 300, 300, 299.5]) },
      ({ x }) => operations[name](x, 'C'),
      ({ x }) => references[name](x, 'C'),
      {
        tolerance: { absolute: name === 'softmax' ? 1e-6 : 1e-4, relative: 0 },
        gradientTolerance: { absolute: 1e-6, relative: 1e-5 },
        elements: 9,
      },
    ));

  it('does not see a shift of all logits', async () => {
    const gpu = await testGpu();
    const x = map(draw('NC', [2, 9]), (value) => Math.round(value * 64) / 64); // exact after the shift
    const onDevice = (shift: number) =>
      gpu.step(() =>
        operations[name](
          upload(
            gpu,
            'NC',
            [2, 9],
            Float32Array.from(x.data, (value) => value + shift),
          ),
          'C',
        ),
      );
    const [plain, shifted] = [await onDevice(0), await onDevice(10_000)];
    expect(Array.from(shifted)).toEqual(Array.from(plain));
  });

  it('refuses axes that are not the last', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'NC', [1, 2], [1, 2], 'logits');
    for (const letters of ['N', '', 'CN']) {
      await expect(async () => gpu.step(() => operations[name](x, letters))).rejects.toThrow(
        new RegExp(`${name}: "${letters}" are not the last axes\\.\\n {2}input N=1 C=2 {3}\\(logits\\)\\n.*permute`),
      );
    }
    x.release();
  });
});

it('softmax adds up to 1 over a map of 224 x 224', async () => {
  const gpu = await testGpu();
  const x = draw('NHW', [1, 224, 224], { low: -10, high: 10 });
  const p = await gpu.step(() => softmax(upload(gpu, 'NHW', x.shape, Float32Array.from(x.data)), 'HW'));
  expectAllClose(
    p.reduce((total, value) => total + value, 0),
    1,
    'total',
    { absolute: 1e-5, relative: 0 },
  );
});
