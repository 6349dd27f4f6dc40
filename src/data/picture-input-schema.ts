/** An InputDescription as it is read back from a prepared folder or a run. */
import { z } from 'zod';
import type { InputDescription } from './picture-input.ts';

const side = z.number().int().min(1).max(16384);

const canvas = z
  .strictObject({
    kind: z.literal('canvas'),
    scale: z.enum(['keep', 'fit']),
    recipe: z.strictObject({
      height: side,
      width: side,
      stride: z.number().int().min(1).max(64),
      keepCorner: z.boolean(),
    }),
  })
  .refine(({ recipe: { height, width, stride } }) => height % stride === 0 && width % stride === 0, {
    message: 'the stride does not divide both sides of the canvas',
  });

const area = z.strictObject({ kind: z.literal('area'), height: side, width: side });

export const inputDescription: z.ZodType<InputDescription> = z.strictObject({
  format: z.literal('mtunet-input-1'),
  voi: z.enum(['ignore', 'apply']),
  monochrome1: z.enum(['keep', 'invert']),
  geometry: z.union([canvas, area]),
  normalization: z.literal('maximum'),
});
