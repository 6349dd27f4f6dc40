/** Cross entropies of logits with classes, and with targets in [0, 1]. */
import { elementwise } from './elementwise.ts';
import { logSoftmax } from './softmax.ts';
import { at, type Values, values } from './values.ts';

export function crossEntropy(logits: Values, labels: ArrayLike<number>, weights?: Values): Values<''> {
  const logProbability = logSoftmax(logits, 'C');
  let total = 0;
  let weight = 0;
  for (let n = 0; n < labels.length; n++) {
    const own = weights ? at(weights, labels[n]) : 1;
    total -= own * at(logProbability, n, labels[n]);
    weight += own;
  }
  return values('', [], [total / weight]);
}

export function bceWithLogits(logits: Values, targets: Values): Values<''> {
  const terms = logits.data.map((x, i) => elementwise.softplus(x) - x * targets.data[i]);
  return values('', [], [terms.reduce((total, term) => total + term, 0) / terms.length]);
}
