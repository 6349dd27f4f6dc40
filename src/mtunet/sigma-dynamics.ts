/**
 * The way of one sigma under an optimizer, in float64, while its loss L(t) is given: what Appendix A leaves out when it puts sigma at rest.
 *
 *     direct   g = -2 L / s^3 + 1 / (s + 1)              the optimizer changes s
 *     log      g = -2 L e^-2u + e^u / (1 + e^u)          it changes u = ln s
 *
 * L is halved for the released code's L / (2 s^2). Optimizers are PyTorch's with their defaults; see engine/optimizers.
 *
 * The operations have the order in which PyTorch's autograd does them. It matters: at rest the gradient is rounding noise, RMSProp divides it by the
 * root of its own mean square, and sigma is kicked by up to 10 r for ever (Adam's slower second moment hides the same for longer).
 */

export interface SigmaPathOptions {
  readonly parameter: 'direct' | 'log';
  readonly optimizer: 'sgd' | 'adam' | 'rmsprop';
  readonly learningRate: number;
  /** The released code's L / (2 s^2). */
  readonly half?: boolean;
  /** L before step t, from 0. */
  readonly loss: (t: number) => number;
  readonly steps: number;
  /** sigma at the beginning. */
  readonly start?: number;
}

/** sigma before step t, for t = 0 ... steps. */
export function sigmaPath(options: SigmaPathOptions): Float64Array {
  const { parameter, loss, half = false, steps, start = 1 } = options;
  const move = mover(options);
  const sigmas = new Float64Array(steps + 1);
  let x = parameter === 'log' ? Math.log(start) : start;
  for (let t = 0; t <= steps; t++) {
    const sigma = parameter === 'log' ? Math.exp(x) : x;
    sigmas[t] = sigma;
    const inverse = 1 / (sigma * sigma);
    const pull = -((half ? 0.5 : 1) * loss(t)) * (inverse * inverse) * sigma;
    const slope = 1 / (sigma + 1) + pull + pull;
    x += move(parameter === 'log' ? slope * sigma : slope);
  }
  return sigmas;
}

/** What is added to the parameter. */
function mover({ optimizer, learningRate }: SigmaPathOptions): (gradient: number) => number {
  if (optimizer === 'sgd') return (gradient) => -learningRate * gradient;
  let [first, second, t] = [0, 0, 0];
  if (optimizer === 'rmsprop') {
    return (gradient) => {
      second = second * 0.99 + (1 - 0.99) * gradient * gradient;
      return (-learningRate * gradient) / (Math.sqrt(second) + 1e-8);
    };
  }
  return (gradient) => {
    t++;
    first = 0.9 * first + (1 - 0.9) * gradient;
    second = 0.999 * second + (1 - 0.999) * gradient * gradient;
    const root = Math.sqrt(second) / Math.sqrt(1 - 0.999 ** t);
    return (-learningRate / (1 - 0.9 ** t)) * (first / (root + 1e-8));
  };
}
