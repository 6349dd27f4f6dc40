/** mtunet export: a trained network leaves for other tools. */
import { type Command, Option } from 'commander';
import { writeWeights } from '../../mtunet/checkpoint.ts';
import { buildNetwork } from '../../mtunet/networks.ts';
import { onnxModel } from '../../mtunet/onnx.ts';
import { loadData } from '../load-data.ts';
import { RunFolder, writeWhole } from '../run-folder.ts';

export function register(program: Command): void {
  program
    .command('export')
    .description("write a run's best network for other tools")
    .argument('<run>', 'its folder')
    .addOption(
      new Option('--format <name>', 'safetensors (weights) or onnx (graph and weights)')
        .choices(['safetensors', 'onnx'])
        .default('onnx'),
    )
    .option('--out <file>', 'where to write; network.<format> in the folder unless given')
    .addHelpText(
      'after',
      '\nThe ONNX model takes `image`, 1 x channels x height x width as in the run, and gives `diagnosis` and `saliency` as logits.\nIt is checked against another engine to 1e-4 for the U-Nets, ResNet-50, EfficientNetV2-S and VGG-SSM; for the other networks, compare\nbefore you rely on it.\n\nExample:\n  mtunet export runs/first --format onnx --out first.onnx',
    )
    .action((path: string, { format, out }: { format: 'safetensors' | 'onnx'; out?: string }) => {
      const folder = RunFolder.open(path);
      const { config } = folder;
      const weights = folder.loadWeights();
      const target = out ?? folder.file(`network.${format}`);
      if (format === 'safetensors') {
        writeWhole(target, writeWeights(weights, { network: JSON.stringify(config.network) }));
      } else {
        const classes = loadData(config).classNames.length;
        const model = onnxModel((gpu) => buildNetwork(gpu, config.network, classes, null), weights, config);
        writeWhole(target, model);
      }
      console.log(target);
    });
}
