/** mtunet data example: the clinical folders in their exact format with invented content, to try the path from DICOM to a run. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { writeExample } from '../example-egd.ts';
import { UsageError } from '../failure.ts';
import { whole } from '../options.ts';

interface Options {
  out: string;
  films: number;
  seed: number;
  height: number;
  width: number;
  gazeMegabytes: number;
}

export function registerExample(data: Command): void {
  data
    .command('example')
    .description("invented films and gaze in the clinical sets' exact format; needs no credentials")
    .requiredOption('--out <folder>', 'gets egd/, reflacx/ and mimic/')
    .option('--films <count>', 'how many', whole(3), 60)
    .option('--seed <number>', 'of everything that is drawn', whole(0), 1)
    .option('--height <pixels>', 'of a film', whole(128), 3056)
    .option('--width <pixels>', 'of a film', whole(128), 2544)
    .option('--gaze-megabytes <size>', 'fill eye_gaze.csv up to this size; the real one has 406', whole(0), 0)
    .addHelpText('after', '\nExample:\n  mtunet data example --out invented --films 60 --height 764 --width 636')
    .action(({ out, gazeMegabytes, ...options }: Options) => {
      if (existsSync(out)) throw new UsageError(`--out ${out} exists already; choose a new folder.`);
      const { egd, mimic, reflacx, gazeBytes } = writeExample(out, { ...options, gazeBytes: gazeMegabytes * 1e6 });
      console.log(
        `${egd}, ${reflacx} and ${mimic}: ${options.films} invented films, ${(gazeBytes / 1e6).toFixed(1)} MB of gaze`,
      );
      console.log(`next: mtunet data prepare --egd ${egd} --mimic ${mimic} --out <folder>`);
      console.log(`or:   mtunet data prepare --reflacx ${reflacx} --mimic ${mimic} --out <folder>`);
    });
}
