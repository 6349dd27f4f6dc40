/** mtunet evaluate: metrics of a run's best network. */
import type { Command } from 'commander';
import { type BenchmarkRecord, benchmarkRecord } from '../../mtunet/benchmarks.ts';
import { evaluate } from '../../mtunet/evaluate.ts';
import { buildNetwork } from '../../mtunet/networks.ts';
import { UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { pinKernels } from '../kernel-choices.ts';
import { loadData } from '../load-data.ts';
import { RunFolder } from '../run-folder.ts';

export function register(program: Command): void {
  program
    .command('evaluate')
    .description("measure a run's best network on a split")
    .argument('<run>', 'its folder')
    .option('--split <name>', 'train, valid or test', 'test')
    .option(
      '--benchmarks',
      'also by the conventions of the MIT benchmark and pysaliency, and NSS, AUC-Judd and IG where fixations are kept',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet evaluate runs/first --json')
    .action(
      async (path: string, { split, json, benchmarks }: { split: string; json?: boolean; benchmarks?: boolean }) => {
        if (!['train', 'valid', 'test'].includes(split))
          throw new UsageError(`--split ${split}: the splits are train, valid and test.`);
        const folder = RunFolder.open(path);
        const { config } = folder;
        const weights = folder.loadWeights();
        const dataset = loadData(config);
        await withGpu(async (gpu) => {
          pinKernels(gpu, folder);
          using model = buildNetwork(gpu, config.network, dataset.classNames.length, null);
          model.loadStateDict(weights);
          const epoch = folder.evaluation.epoch;
          const { record, predictions } = await evaluate(gpu, model, dataset, {
            split: split as 'test',
            batchSize: config.batchSize,
            epoch,
          });
          const found =
            benchmarks && record.saliency
              ? benchmarkRecord(dataset, dataset[split as 'test'], predictions.saliency)
              : null;
          if (json) console.log(JSON.stringify(found ? { ...record, benchmarks: found } : record, null, 2));
          else {
            printEvaluation(record);
            if (found) printBenchmarks(found);
          }
        });
      },
    );
}

function printBenchmarks({ mit, pysaliency, fixations }: BenchmarkRecord): void {
  for (const [name, { kld, cc, sim }] of Object.entries({ 'MIT benchmark': mit, pysaliency }))
    console.log(`  ${name}: KLD ${kld.toFixed(3)}   CC ${cc.toFixed(3)}   SIM ${sim.toFixed(3)}`);
  console.log(
    fixations
      ? `  fixations: NSS ${fixations.nss.toFixed(3)}   AUC-Judd ${fixations.aucJudd.toFixed(3)}   IG over the mean training gaze ${fixations.informationGain.toFixed(3)} bit`
      : '  the data set keeps no fixations, so there is no NSS, AUC-Judd or IG',
  );
}

function printEvaluation({
  split,
  images,
  epoch,
  saliency,
  classification,
  baselines,
}: Awaited<ReturnType<typeof evaluate>>['record']): void {
  console.log(`${split} split, ${images} images, network of epoch ${epoch}`);
  if (saliency) {
    const { mean, std } = saliency;
    console.log(
      `  KLD ${mean.kld.toFixed(3)} ± ${std.kld.toFixed(3)}   PCC ${mean.pcc.toFixed(3)} ± ${std.pcc.toFixed(3)}   HS ${mean.hs.toFixed(3)} ± ${std.hs.toFixed(3)}`,
    );
  }
  if (classification) {
    const { accuracy, aucHandTill, aucMicro, aucPerClass } = classification;
    const shown = (value: number | null) => value?.toFixed(3) ?? 'n/a';
    console.log(
      `  ACC ${shown(accuracy)}   AUC (Hand & Till) ${shown(aucHandTill)}   AUC (micro) ${shown(aucMicro)}   per class ${aucPerClass.map(shown).join(' ')}`,
    );
  }
  for (const { name, saliency: map, accuracy } of baselines) {
    const numbers = map
      ? `KLD ${map.kld.toFixed(3)}   PCC ${map.pcc.toFixed(3)}   HS ${map.hs.toFixed(3)}`
      : `ACC ${accuracy?.toFixed(3)}`;
    console.log(`  baseline, ${name}: ${numbers}`);
  }
}
