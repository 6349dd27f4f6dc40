/** Checks this machine's adapter away from the page: the same check as `mtunet doctor`. */
import { z } from 'zod';
import { runtime } from '#gpu-host';
import { checkMachine, type MachineReport } from '../doctor/index.ts';
import { openGpu } from '../engine/index.ts';

// The content security policy forbids code from strings.
z.config({ jitless: true });

export interface ToDoctor {
  readonly seconds: number;
}
export type FromDoctor =
  | { readonly kind: 'progress'; readonly share: number; readonly what: string }
  | { readonly kind: 'report'; readonly report: MachineReport }
  | { readonly kind: 'problem'; readonly message: string };

const tell = (message: FromDoctor) => self.postMessage(message);

self.onmessage = async ({ data: { seconds } }: MessageEvent<ToDoctor>) => {
  try {
    const report = await checkMachine({
      open: () => openGpu(),
      version: `mtunet ${import.meta.env.VERSION}`,
      runtime,
      seconds,
      onProgress: (share, what) => tell({ kind: 'progress', share, what }),
    });
    tell({ kind: 'report', report });
  } catch (problem) {
    tell({ kind: 'problem', message: (problem as Error).message });
  }
};
