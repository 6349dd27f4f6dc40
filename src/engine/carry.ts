/**
 * A tensor's contents taken from one step into a later one, without a copy: for work that needs a number on the host in between.
 *
 *     const carried = await gpu.step(() => { ...; return carry(gradient) });      // read what else is wanted, decide
 *     await gpu.step(() => { const gradient = carried.open(); ... });             // passes with this step
 */
import { Tensor } from './tensor.ts';

export interface Carried<Axes extends string = string> {
  /** Inside a step: the tensor again; it passes with this step. Once. */
  open(): Tensor<Axes>;
  /** Gives the contents up; harmless after open(). */
  release(): void;
}

/** Holds the storage of a tensor that would pass with the open step. Its gradient is not remembered. */
export function carry<Axes extends string>(tensor: Tensor<Axes>): Carried<Axes> {
  tensor.assertAlive('carry');
  const { gpu, axes, shape, name, type } = tensor;
  if (gpu.isRecording)
    throw new Error(
      `carry: ${name} cannot leave a recorded step, whose buffers are written anew each time; use gpu.step().`,
    );
  const storage = tensor.storage.hold();
  let held = true;
  return {
    open() {
      if (!held)
        throw new Error(`carry: ${name} was opened or released before; carry it anew for every step that needs it.`);
      if (!gpu.stepOpen) throw new Error(`carry: ${name} must be opened inside the step that uses it.`);
      held = false;
      return new Tensor(gpu, axes, shape, storage, name, type);
    },
    release() {
      if (held) storage.release();
      held = false;
    },
  };
}
