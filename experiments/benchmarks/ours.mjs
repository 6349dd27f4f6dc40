/** Our worker of the comparison; see peers/serve.mjs. */
import { openGpu } from '../../src/engine/index.ts';
import { convParts, trio } from './conv.ts';
import { serve, size } from './peers/serve.mjs';
import { libName } from './place.ts';
import { unetStep } from './unet.ts';

const gpu = await openGpu();
const unet = unetStep(gpu, size);
const { fwd, dx, dw } = convParts({ gpu }, trio);
const peak = () => gpu.memory().peakBytes;
await serve(libName, gpu.description.name, { step: () => unet.run(), fwd, dx, dw }, peak);
