/** Layers one after another, named 0, 1, 2, ... as in PyTorch. */
import { upsample2x } from '../ops/upsample.ts';
import type { Tensor } from '../tensor.ts';
import { BatchNorm2d } from './batch-norm2d.ts';
import { Conv2d } from './conv2d.ts';
import { Module } from './module.ts';

export interface Layer extends Module {
  call(input: Tensor<'NCHW'>): Tensor<'NCHW'>;
}

/**
 * Each intermediate is passed on as soon as the next layer has read it: without gradients, nothing is held.
 * Keys are PyTorch's indices; a gap is a layer without state (a ReLU that the normalisation before it has taken in).
 */
export class Sequential extends Module {
  private readonly layers: Readonly<Record<string, Layer>>;

  constructor(layers: Readonly<Record<string, Layer>> | readonly Layer[]) {
    super();
    this.layers = Object.fromEntries(Object.entries(layers));
  }

  members() {
    return this.layers;
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    let current = input;
    const layers = Object.values(this.layers);
    for (const [i, layer] of layers.entries()) {
      const after = layers[i + 1];
      const statistics = after instanceof BatchNorm2d && after.training;
      const next = layer instanceof Conv2d ? layer.call(current, { statistics }) : layer.call(current);
      if (current !== input && next !== current) current.passOn();
      current = next;
    }
    return current;
  }
}

/** Modules under one name whose owner calls them one by one. A key may be left out, as for a layer without state. */
export class ModuleList extends Module {
  private readonly list: Readonly<Record<string, Module>>;

  constructor(modules: Readonly<Record<string, Module>> | readonly Module[]) {
    super();
    this.list = Object.fromEntries(Object.entries(modules));
  }

  members() {
    return this.list;
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

/** A function of one tensor as a layer: an activation, a pooling. */
export class Apply extends Module {
  private readonly operation: (input: Tensor<'NCHW'>) => Tensor<'NCHW'>;

  constructor(operation: (input: Tensor<'NCHW'>) => Tensor<'NCHW'>) {
    super();
    this.operation = operation;
  }

  members() {
    return {};
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return this.operation(input);
  }
}
