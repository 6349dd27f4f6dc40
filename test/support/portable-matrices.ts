/** The convolutions by subgroup matrices with plain arithmetic for the products, on adapters that have no subgroup matrices. */
import { matricesFamily } from '../../src/engine/ops/conv2d-matrices.ts';
import { type MatrixConfig, portableMatrices } from '../../src/shaders/matrix-product.ts';

/** Tiles of 2 x 2 subgroups, `high` x `wide` matrices each: small, since SwiftShader is slow to compile large ones. */
export const portableFamily = (config: Omit<MatrixConfig, 'sized'>, high: number, wide: number) =>
  matricesFamily({
    configs: () => [{ ...config, sized: false }],
    product: (gpu, sizes) => portableMatrices(sizes, gpu.features.has('shader-f16')),
    tile: () => ({ down: 2, across: 2, high, wide }),
  });
