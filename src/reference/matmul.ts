/** Matrix products by their definition. */
import { at, tabulate, type Values } from './values.ts';

/** left B I K, right B K J -> B I J */
export function matmul(left: Values, right: Values): Values<'BIJ'> {
  const [B, I, K] = left.shape;
  const J = right.shape[2];
  return tabulate('BIJ', [B, I, J], (b, i, j) => {
    let total = 0;
    for (let k = 0; k < K; k++) total += at(left, b, i, k) * at(right, b, k, j);
    return total;
  });
}

/** input N C, weight O C, bias O -> N O */
export function linear({ input, weight, bias }: { input: Values; weight: Values; bias?: Values }): Values<'NC'> {
  const [N, C] = input.shape;
  return tabulate('NC', [N, weight.shape[0]], (n, o) => {
    let total = bias ? at(bias, o) : 0;
    for (let c = 0; c < C; c++) total += at(input, n, c) * at(weight, o, c);
    return total;
  });
}
