/**
 * Matrix products: linear layers and batched products.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { sum } from './reduce.ts';

const multiplyKernel = kernel(shaders.matmul, 'multiply');

/** A matrix inside a tensor: where batch, rows and columns are found. */
interface Matrix {
  readonly tensor: Tensor;
  readonly batch: number;
  readonly row: number;
  readonly column: number;
}

const transposed = (matrix: Matrix): Matrix => ({ ...matrix, row: matrix.column, column: matrix.row });

function product(
  output: Tensor,
  [B, I, J, K]: readonly number[],
  left: Matrix,
  right: Matrix,
  bias: Tensor | null = null,
): void {
  left.tensor.assertAlive('matmul');
  right.tensor.assertAlive('matmul');
  dispatch(
    output.gpu,
    multiplyKernel,
    { left: left.tensor, right: right.tensor, bias: bias ?? left.tensor, output },
    {
      B,
      I,
      J,
      K,
      leftB: left.batch,
      leftI: left.row,
      leftK: left.column,
      rightB: right.batch,
      rightK: right.row,
      rightJ: right.column,
      hasBias: bias ? 1 : 0,
    },
    linearGroups(B * I * J, 64),
  );
}

/** output[n, o] = sum_c input[n, c] * weight[o, c] + bias[o]; input N C, weight O C (PyTorch's order), output N O (named N C). */
export function linear(input: Tensor<'NC'>, weight: Tensor<'OC'>, bias: Tensor<'C'> | null): Tensor<'NC'> {
  const { gpu } = input;
  const [N, C] = input.shape;
  const [O, weightC] = weight.shape;
  if (weightC !== C) {
    const remedy = `Did the layer before produce ${weightC} features?`;
    throw new ShapeError(
      'linear',
      `features disagree. input has C=${C}, weight expects C=${weightC}`,
      { input, weight },
      remedy,
    );
  }
  if (bias && bias.shape[0] !== O)
    throw new ShapeError('linear', `bias has ${bias.shape[0]} values for O=${O} outputs`, { weight, bias });
  const x: Matrix = { tensor: input, batch: 0, row: C, column: 1 };
  const w: Matrix = { tensor: weight, batch: 0, row: C, column: 1 };
  const output = empty(gpu, 'NC', [N, O], 'linear');
  product(output, [1, N, O, C], x, transposed(w), bias);
  output.tell('linear', bias ? [input, weight, bias] : [input, weight]);
  return output.derivedFrom({ input, weight, bias }, (gradient) => {
    const g: Matrix = { tensor: gradient, batch: 0, row: O, column: 1 };
    return {
      input: () => {
        const result = empty(gpu, 'NC', [N, C], 'linear gradient of input');
        product(result, [1, N, C, O], g, w);
        return result;
      },
      weight: () => {
        const result = empty(gpu, 'OC', [O, C], 'linear gradient of weight');
        product(result, [1, O, C, N], transposed(g), x);
        return result;
      },
      bias: () => sum(gradient, 'N'),
    };
  });
}

/** output[b, i, j] = sum_k left[b, i, k] * right[b, k, j]; left B I K, right B K J, output B I J. */
export function matmul(left: Tensor<'BIK'>, right: Tensor<'BKJ'>): Tensor<'BIJ'> {
  const { gpu } = left;
  const [B, I, K] = left.shape;
  const [rightB, rightK, J] = right.shape;
  if (rightB !== B || rightK !== K) {
    throw new ShapeError('matmul', `left has B=${B} K=${K}, right has B=${rightB} K=${rightK}`, { left, right });
  }
  const a: Matrix = { tensor: left, batch: I * K, row: K, column: 1 };
  const b: Matrix = { tensor: right, batch: K * J, row: J, column: 1 };
  const output = empty(gpu, 'BIJ', [B, I, J], 'matmul');
  product(output, [B, I, J, K], a, b);
  output.tell('matmul', [left, right]);
  return output.derivedFrom({ left, right }, (gradient) => {
    const g: Matrix = { tensor: gradient, batch: I * J, row: J, column: 1 };
    return {
      left: () => {
        const result = empty(gpu, 'BIK', left.shape, 'matmul gradient of left');
        product(result, [B, I, K, J], g, transposed(b));
        return result;
      },
      right: () => {
        const result = empty(gpu, 'BKJ', right.shape, 'matmul gradient of right');
        product(result, [B, K, J, I], transposed(a), g);
        return result;
      },
    };
  });
}
