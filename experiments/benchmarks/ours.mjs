/** Our worker of the comparison; see peers/serve.mjs. */
import { openGpu } from '../../src/engine/index.ts';
import { convParts, trio } from './conv.ts';
import { serve } from './peers/serve.mjs';
import { libName } from './place.ts';
import { sharedSize, unetStep } from './unet.ts';

const gpu = await openGpu();
const unet = unetStep(gpu, sharedSize);
const { fwd, dx, dw } = convParts({ gpu }, trio);
await serve(libName, gpu.description.name, { step: () => unet.run(), fwd, dx, dw });
