/**
 * What every network of the paper's tables answers, whatever is inside it: logits for the classes, for the pixels, or for both.
 *
 * The losses apply softmax over the classes and over all pixels (the paper's common head).
 */
import { Module, type Tensor } from '../engine/index.ts';

export interface Prediction {
  /** Class logits. */
  readonly diagnosis: Tensor<'NC'> | null;
  /** Saliency logits. */
  readonly saliency: Tensor<'NHW'> | null;
  /**
   * The features from which both heads predict: every path from the image to a logit crosses one of them, and none leads from one to another.
   * Left out by networks with one head.
   */
  readonly representation?: readonly Tensor[];
}

export interface Tasks {
  readonly diagnosis: boolean;
  readonly saliency: boolean;
}

export abstract class Network extends Module {
  abstract readonly tasks: Tasks;
  /** 1 for a film; 3 for weights that expect colour, where the film is repeated. */
  abstract readonly inputChannels: number;

  /** image N C H W; which heights and widths are possible is said by the network's size rule in networks.ts. */
  abstract call(image: Tensor<'NCHW'>): Prediction;

  private frozen: readonly string[] = [];

  /**
   * Takes everything under these names out of training: no gradients, and normalisations keep their statistics.
   * A name is a parameter's or a part's, such as "layer1" or "vgg.0.weight". Call it before making the optimizer.
   */
  freeze(names: readonly string[]): this {
    const under = (name: string, prefix: string) => name === prefix || name.startsWith(`${prefix}.`);
    const entries = [...this.entries()];
    for (const prefix of names) {
      if (!entries.some(({ name }) => under(name, prefix))) {
        const parts = [...new Set(entries.map(({ name }) => name.split('.')[0]))];
        throw new Error(`freeze: no part of this network is called "${prefix}"; its parts are ${parts.join(', ')}.`);
      }
      for (const { name, member } of entries) {
        if ('requiresGradient' in member && under(name, prefix)) member.requiresGradient = false;
      }
    }
    this.frozen = [...this.frozen, ...names];
    return this.train(this.training);
  }

  /** Frozen parts stay in evaluation mode. */
  override train(training = true): this {
    super.train(training);
    for (const { name, module } of this.modules()) {
      if (this.frozen.some((prefix) => name === prefix || name.startsWith(`${prefix}.`))) module.train(false);
    }
    return this;
  }
}
