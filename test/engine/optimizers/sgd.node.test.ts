import { SGD } from '../../../src/engine/index.ts';
import { checkRecorded } from './recorded.ts';

checkRecorded(['SGD'], (parameters, { lr, momentum, dampening, weight_decay, nesterov }) => {
  return new SGD(parameters, { learningRate: lr, momentum, dampening, weightDecay: weight_decay, nesterov });
});
