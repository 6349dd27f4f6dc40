/** Layers one after another, named 0, 1, 2, ... as in PyTorch. */
import { upsample2x } from '../ops/upsample.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface Layer extends Module {
  call(input: Tensor<'NCHW'>): Tensor<'NCHW'>;
}

/**
 * Without gradients, each intermediate is given back as soon as the next layer has read it.
 * Keys are PyTorch's indices; a gap is a layer without state (a ReLU that the normalisation before it has taken in).
 */
export class Sequential extends Module {
  private readonly layers: Readonly<Record<string, Layer>>;

  constructor(layers: Readonly<Record<string, Layer>>) {
    super();
    this.layers = layers;
  }

  members() {
    return this.layers;
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    let current = input;
    for (const layer of Object.values(this.layers)) {
      const next = layer.call(current);
      if (!next.requiresGradient && current !== input && next !== current) current.release();
      current = next;
    }
    return current;
  }
}

/** Nearest neighbours, twice the height and width. */
export class Upsample2x extends Module {
  members() {
    return {};
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return upsample2x(input);
  }
}
