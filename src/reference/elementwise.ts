/** Operations on one number. */
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

export const elementwise = {
  relu: (x: number) => Math.max(x, 0),
  silu: (x: number) => x * sigmoid(x),
  sigmoid,
  exp: Math.exp,
  log: Math.log,
  softplus: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  square: (x: number) => x * x,
  sqrt: Math.sqrt,
  reciprocal: (x: number) => 1 / x,
};
