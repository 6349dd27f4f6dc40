/** mtunet models: the networks that can be trained, with their parameter counts at the paper's size. */

import type { Command } from 'commander';
import { defaultConfig, type MTUNetConfig, unetFamily } from '../../mtunet/model.ts';

export function register(program: Command): void {
  program
    .command('models')
    .description('the networks, their parameters at base 64 and their source')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet models --json')
    .action(({ json }: { json?: boolean }) => printModels(json ?? false));
}

export interface ModelRow {
  readonly name: string;
  readonly title: string;
  readonly parameters: number;
  readonly source: string;
}

const titles: Record<keyof typeof unetFamily, [title: string, source: string]> = {
  'mt-unet': [
    'MT-UNet: saliency, and diagnosis from bottleneck and top features',
    'Zhu et al. 2022, Section 3; released code',
  ],
  'mt-unet-b': [
    'MT-UNetB: diagnosis from the bottleneck alone',
    'Zhu et al. 2022, Table 3 (our reading; no public code)',
  ],
  'mt-unet-t': [
    'MT-UNetT: diagnosis from the top features alone',
    'Zhu et al. 2022, Table 3 (our reading; no public code)',
  ],
  'unet-c': ['UNetC: diagnosis alone', 'Zhu et al. 2022, Table 1; released code'],
  'unet-s': ['UNetS: saliency alone', 'Zhu et al. 2022, Table 2; released code'],
};

export function modelRows(base = defaultConfig.base): ModelRow[] {
  return Object.entries(unetFamily).map(([name, difference]) => {
    const [title, source] = titles[name as keyof typeof unetFamily];
    return { name, title, parameters: countParameters({ ...defaultConfig, ...difference, base }), source };
  });
}

/**
 * Weights of a U-Net of the family, in closed form: trunk 9cb + 8424 b^2 + 321 b, class head on m b features m b^2 + b (1 + k) + k,
 * saliency head 9 b^2 + 4 b + 1. A test compares it with the networks themselves.
 */
export function countParameters({ base: b, inputChannels: c, classes: k, diagnosis, saliency }: MTUNetConfig): number {
  const trunk = 9 * c * b + 8424 * b * b + 321 * b;
  const m = { both: 17, bottleneck: 16, top: 1, none: 0 }[diagnosis];
  const classHead = diagnosis === 'none' ? 0 : m * b * b + b * (1 + k) + k;
  const saliencyHead = { conv: 9 * b * b + 4 * b + 1, plain: b + 1, none: 0 }[saliency];
  return trunk + classHead + saliencyHead;
}

function printModels(asJson: boolean): void {
  const rows = modelRows();
  if (asJson) console.log(JSON.stringify(rows, null, 2));
  else
    for (const { name, title, parameters, source } of rows)
      console.log(
        `${name.padEnd(10)} ${parameters.toLocaleString('en').padStart(11)}  ${title}\n${' '.repeat(24)}${source}`,
      );
}
