/**
 * What the saliency baselines share: one map, and the switch between the paper's common head and the network's own output.
 *
 *     'logits'  the map before the network's own last step; the loss applies softmax over all pixels, as for MT-UNet
 *     'native'  log(own output + epsilon), so that the same loss sees the own output divided by its sum, as the authors' losses do
 */
import { log, shift, type Tensor } from '../../engine/index.ts';
import { Network, type Prediction } from '../network.ts';

export type SaliencyOutput = 'logits' | 'native';

export abstract class SaliencyNetwork extends Network {
  readonly tasks = { diagnosis: false, saliency: true };
  readonly inputChannels: number;
  readonly output: SaliencyOutput;
  /** Keeps the logarithm of the own output finite; the authors' constant. */
  protected abstract readonly epsilon: number;

  constructor(inputChannels: number, output: SaliencyOutput) {
    super();
    this.inputChannels = inputChannels;
    this.output = output;
  }

  call(image: Tensor<'NCHW'>): Prediction {
    const map = this.map(image); // N 1 H W
    const [N, , H, W] = map.shape;
    const logits = map.view('NHW', [N, H, W]);
    const saliency = this.output === 'logits' ? logits : log(shift(this.native(logits), this.epsilon));
    return { diagnosis: null, saliency };
  }

  /** The network's own output, in [0, 1], from its logits. */
  abstract native(logits: Tensor<'NHW'>): Tensor<'NHW'>;

  /** N C H W -> N 1 H W */
  protected abstract map(image: Tensor<'NCHW'>): Tensor<'NCHW'>;
}
