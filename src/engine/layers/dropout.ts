/** Dropout that draws its masks from the network's seed and its own name; nothing in evaluation mode. */
import { dropout } from '../ops/dropout.ts';
import { deriveKey } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export class Dropout extends Module {
  readonly rate: number;
  /** Number of masks drawn so far; part of a checkpoint, although not of the published state_dict. */
  draws = 0;
  private key: readonly [number, number] = [0, 0];

  constructor(rate: number) {
    super();
    this.rate = rate;
  }

  members() {
    return {};
  }

  protected override reseed(seed: number, name: string): void {
    this.key = deriveKey(seed, `${name}.mask`);
    this.draws = 0;
  }

  call<A extends string>(input: Tensor<A>): Tensor<A> {
    if (!this.training || this.rate === 0) return input;
    return dropout(input, this.rate, { key: this.key, index: () => this.draws++ });
  }
}
