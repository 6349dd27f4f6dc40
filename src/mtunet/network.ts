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
    for (const part of names) {
      this.checkPart(part, 'freeze');
      for (const { name, member } of this.entries()) {
        if ('requiresGradient' in member && isUnder(name, part)) member.requiresGradient = false;
      }
    }
    this.frozen = [...this.frozen, ...names];
    return this.train(this.training);
  }

  /** Throws unless some tensor is called `part` or lies under it. */
  checkPart(part: string, use: string): void {
    const names = [...this.entries()].map(({ name }) => name);
    if (names.some((name) => isUnder(name, part))) return;
    const parts = [...new Set(names.map((name) => name.split('.')[0]))];
    throw new Error(`${use}: no part of this network is called "${part}"; its parts are ${parts.join(', ')}.`);
  }

  /** Frozen parts stay in evaluation mode. */
  override train(training = true): this {
    super.train(training);
    for (const { name, module } of this.modules()) {
      if (this.frozen.some((part) => isUnder(name, part))) module.train(false);
    }
    return this;
  }
}

export const isUnder = (name: string, part: string) => name === part || name.startsWith(`${part}.`);
