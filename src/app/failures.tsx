/** Every failure as what happened, what still works, and the next move. */
import { useStore } from './later.tsx';
import type { Failure, Store } from './store.ts';

const TEXTS: Record<Failure['failure'], readonly [title: string, advice: string]> = {
  'no-webgpu': [
    'This browser has no WebGPU',
    'Use Chrome or Edge 113, Safari 26, Firefox 141 or later to train live. Below you see a recorded run; the explorer and all explanations work.',
  ],
  insecure: [
    'WebGPU needs a secure context',
    'Open this page over https or from localhost. Below you see a recorded run; the explorer works.',
  ],
  // Its message tells the next move.
  'no-adapter': [
    'WebGPU is here, but cannot be used',
    'Below you see a recorded run; the explorer and all explanations work.',
  ],
  lost: [
    'The GPU device was lost',
    'A driver reset or a sleeping machine does that. A new device was opened, and both runs go on from their last snapshot; where they stand still, press play.',
  ],
  memory: ['The GPU is out of memory', 'Choose small pictures, close other tabs that use the GPU, then reset.'],
  numbers: [
    'A loss is no longer a number',
    'Nothing was changed by that step. Go back on the timeline, or reset with a lower learning rate.',
  ],
  input: [
    'This file does not fit',
    'Weights (checkpoint or weights.safetensors of a run, or a PyTorch file) must be of a network with the base width and heads of run A: preset tiny has base 4, which is the small size here.',
  ],
  picture: [
    'This file is no picture',
    'Choose a PNG, JPEG or WebP. DICOM films, and pictures with more than 8 bits a pixel, are read whole under “Your films”, at the end of the page.',
  ],
  other: ['Something went wrong', 'Reset starts both runs again; if it happens again, reload the page.'],
};

export function FailureNotice({ store }: { store: Store }) {
  const { failure } = useStore(store);
  return (
    <div aria-live="assertive">
      {failure && (
        <div class="failure" role="alert" data-failure={failure.failure}>
          <b>{TEXTS[failure.failure][0]}</b>
          <p>{TEXTS[failure.failure][1]}</p>
          {failure.message && <p class="quiet">{failure.message}</p>}
          <button type="button" onClick={() => store.change({ failure: null })}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}
