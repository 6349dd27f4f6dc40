import { describe, expect, it } from 'vitest';
import { permute, upload } from '../../../src/engine/index.ts';
import { permute as reference } from '../../../src/reference/permute.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

describe('permute', () => {
  it.each(['NCHW', 'NHWC', 'WHCN', 'CNWH', 'HNWC', 'NCWH'])('N C H W to %s', (axes) =>
    checkOperation(
      { x: draw('NCHW', [2, 3, 5, 7]) },
      ({ x }) => permute(x, axes),
      ({ x }) => reference(x, axes),
    ),
  );

  it('of a matrix above one workgroup, and with sides of one', async () => {
    await checkOperation(
      { x: draw('NC', [37, 41]) },
      ({ x }) => permute(x, 'CN'),
      ({ x }) => reference(x, 'CN'),
    );
    await checkOperation(
      { x: draw('NCH', [1, 9, 1]) },
      ({ x }) => permute(x, 'HCN'),
      ({ x }) => reference(x, 'HCN'),
    );
  });

  it('refuses letters that are not an order of the axes', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'NC', [1, 2], [1, 2], 'logits');
    await expect(async () => gpu.step(() => permute(x, 'NW'))).rejects.toThrow(
      /permute: "NW" is not an order of "NC"\.\n {2}input N=1 C=2 {3}\(logits\)/,
    );
    x.release();
  });
});
