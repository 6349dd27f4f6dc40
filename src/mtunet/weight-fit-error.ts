/** The weights do not belong to this network. The message is one sentence. */
export class WeightFitError extends Error {
  override readonly name = 'WeightFitError';
}
