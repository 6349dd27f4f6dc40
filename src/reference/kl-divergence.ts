/** 1/N sum t (ln t - log p), 0 where t is 0. */
import { type Values, values } from './values.ts';

export function klDivergence(logProbability: Values, target: Values): Values<''> {
  let total = 0;
  target.data.forEach((t, i) => {
    if (t > 0) total += t * (Math.log(t) - logProbability.data[i]);
  });
  return values('', [], [total / target.shape[0]]);
}
