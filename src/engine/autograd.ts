/**
 * Reverse-mode differentiation over the tensors' origins.
 *
 *     d loss / d input = sum over uses of input:  rule(d loss / d output).input()
 *
 * Tensors are visited from the youngest to the oldest, so every use of a tensor has run before its own rule does.
 */
import shaders from '../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from './kernel.ts';
import { describe, ShapeError, sameShape } from './shape.ts';
import { empty, type Scalar, Tensor, upload } from './tensor.ts';

const addInto = kernel(shaders.accumulate, 'addInto');
const addTwo = kernel(shaders.accumulate, 'addTwo');
const PER_GROUP = 512;

/** Runs `body` without remembering how its tensors are made. */
export function withoutGradient<T>(gpu: Tensor['gpu'], body: () => T): T {
  const before = gpu.recordsGradients;
  gpu.recordsGradients = false;
  try {
    return body();
  } finally {
    gpu.recordsGradients = before;
  }
}

/**
 * Adds d loss / d p to the gradient of every parameter p that `loss` was computed from. Consumes the graph: intermediate tensors are given
 * back as soon as the last rule that reads them has run, except scalars and those marked keep(). With `scale`, of scale * loss instead.
 */
export function backward(loss: Scalar, scale?: Scalar): void {
  if (loss.shape.length !== 0) throw new ShapeError('backward', 'the loss must be a scalar', { loss });
  if (!loss.requiresGradient) {
    throw new Error('backward: the loss does not depend on any parameter, so there is nothing to differentiate.');
  }
  const { pool } = loss.gpu;
  const one = scale ?? upload(loss.gpu, '', [], () => [1], 'one');
  pool.shares = true;
  let found: Map<Tensor, Tensor>;
  try {
    found = sweep(loss, one, [], true);
  } finally {
    pool.shares = false;
  }
  for (const [leaf, gradient] of found) {
    if (leaf.gradient?.isAlive) {
      leaf.gradient = accumulate(leaf.gradient, gradient);
    } else {
      leaf.gradient = gradient;
    }
  }
}

/**
 * d output / d target for each target, which may be parameters or intermediate tensors, with `upstream` as the gradient of `output` (default 1).
 * Leaves the graph and the parameters' own gradients as they were, so that several outputs of one graph can be differentiated in turn.
 * A target that `output` does not depend on gets null. Only the part of the graph between `output` and the targets is walked, so the
 * gradient of a late layer is cheap.
 */
export function gradients(output: Tensor, targets: readonly Tensor[], upstream?: Tensor): (Tensor | null)[] {
  if (!output.requiresGradient) return targets.map(() => null);
  const seed = upstream ?? upload(output.gpu, '', [], () => [1], 'one');
  if (!sameShape(seed.shape, output.shape)) {
    throw new ShapeError('gradients', 'the upstream gradient must have the shape of the output', {
      output,
      upstream: seed,
    });
  }
  const found = sweep(output, seed, targets, false);
  return targets.map((target) => found.get(target) ?? null);
}

/** The parameters that `output` was computed from. */
export function parametersOf(output: Tensor): Set<Tensor> {
  return new Set(output.requiresGradient ? graphOf(output).filter(({ origin }) => origin === null) : []);
}

/** Bytes of what the forward pass has left on the device for the backward pass from `output` to read, beside parameters. */
export function savedBytes(output: Tensor): number {
  const isParameter = ({ origin, requiresGradient }: Tensor) => requiresGradient && origin === null;
  const read = graphOf(output).flatMap(({ origin }) => [...(origin?.reads ?? []), ...(origin?.saved ?? [])]);
  const places = new Set(read.filter((tensor) => tensor.isPresent && !isParameter(tensor)).map(({ place }) => place));
  return [...places].reduce((total, { bytes }) => total + bytes, 0);
}

/**
 * Returns the gradients of the leaves and of `targets`, all in float32: rounded to float16 from layer to layer, those of one task drown in the
 * rounding of the other's (docs/performance.md, "Half precision").
 */
function sweep(output: Tensor, seed: Tensor, targets: readonly Tensor[], consume: boolean): Map<Tensor, Tensor> {
  const { gpu } = output;
  const { halves } = gpu;
  gpu.halves = false;
  try {
    return visit(output, seed, targets, consume);
  } finally {
    gpu.halves = halves;
  }
}

function visit(output: Tensor, seed: Tensor, targets: readonly Tensor[], consume: boolean): Map<Tensor, Tensor> {
  const pending = new Map<Tensor, Tensor>([[output, seed]]);
  const results = new Map<Tensor, Tensor>();
  const wanted = new Set(targets);
  const graph = graphOf(output);
  const onTheWay = consume ? null : leadingTo(wanted, graph);
  for (const tensor of graph) {
    const gradient = pending.get(tensor);
    pending.delete(tensor);
    const { origin } = tensor;
    if (origin === null) {
      if (tensor.isConsumed) {
        throw new Error(
          `backward: ${tensor.name} (${describe(tensor.axes, tensor.shape)}) belongs to a graph that an earlier backward() has consumed; add up the losses before one backward(), or call gradients() for each.`,
        );
      }
      if (gradient) results.set(tensor, gradient);
      continue;
    }
    if (gradient) {
      const next = Object.entries(origin.inputs).filter(
        (entry): entry is [string, Tensor] => entry[1]?.requiresGradient === true && onTheWay?.has(entry[1]) !== false,
      );
      if (wanted.has(tensor)) void gradient.storage; // whatever the rule does with what it comes from
      gradient.spare = gradient !== seed && !wanted.has(tensor) && gradient.isSole;
      const thunks = next.length > 0 ? origin.rule(gradient) : {};
      // What was computed again for the gradient of a weight need not be there beside that of the input.
      const lean = output.gpu.recomputes && next.some(([, { origin }]) => origin === null);
      if (lean) next.sort(([, a], [, b]) => Number(a.origin !== null) - Number(b.origin !== null));
      for (const [role, input] of next) {
        if (lean && input.origin !== null) for (const read of origin.reads) read.withdraw();
        const contribution = checked(tensor, role, input, shared(thunks[role](), gradient));
        const before = pending.get(input);
        pending.set(input, before ? accumulate(before, contribution) : contribution);
      }
      if (wanted.has(tensor)) results.set(tensor, gradient);
      else if (gradient !== seed) gradient.releaseIfAlive();
      if (!consume) for (const read of origin.reads) read.withdraw();
    }
    if (consume) {
      for (const saved of origin.saved) saved.releaseIfAlive();
      tensor.origin = null;
      tensor.isConsumed = true;
      if (!tensor.isKept) tensor.releaseIfAlive();
    }
  }
  return results;
}

/** All tensors with gradients that `output` was computed from, youngest first. */
function graphOf(output: Tensor): Tensor[] {
  const seen = new Set<Tensor>([output]);
  const queue = [output];
  for (let tensor = queue.pop(); tensor; tensor = queue.pop()) {
    for (const input of Object.values(tensor.origin?.inputs ?? {})) {
      if (input?.requiresGradient && !seen.has(input)) {
        seen.add(input);
        queue.push(input);
      }
    }
  }
  return [...seen].sort((a, b) => b.birth - a.birth);
}

/** The targets, and what was computed from one. */
function leadingTo(targets: ReadonlySet<Tensor>, youngestFirst: readonly Tensor[]): Set<Tensor> {
  const leading = new Set<Tensor>();
  for (const tensor of [...youngestFirst].reverse()) {
    const inputs = Object.values(tensor.origin?.inputs ?? {});
    if (targets.has(tensor) || inputs.some((input) => input && leading.has(input))) leading.add(tensor);
  }
  return leading;
}

/** A rule may answer with the gradient itself; then two owners look at one storage. */
function shared(contribution: Tensor, gradient: Tensor): Tensor {
  if (contribution !== gradient) return contribution;
  return new Tensor(gradient.gpu, gradient.axes, gradient.shape, gradient.storage.hold(), gradient.name, gradient.type);
}

function checked(output: Tensor, role: string, input: Tensor, contribution: Tensor): Tensor {
  if (!sameShape(contribution.shape, input.shape)) {
    throw new ShapeError(output.name, `the gradient of ${role} has the wrong shape`, {
      [role]: input,
      gradient: contribution,
    });
  }
  output.gpu.onTensor?.(contribution);
  return contribution;
}

/** The sum of two gradients that autograd owns; reuses the first one's storage when nobody else looks at it. */
function accumulate<Axes extends string>(total: Tensor<Axes>, addend: Tensor): Tensor<Axes> {
  const { gpu, size } = total;
  const [x, y] = linearGroups(size, PER_GROUP);
  const uniforms = { count: size, rowStride: x * PER_GROUP };
  if (total.storage.holders === 1 && total.storage !== addend.storage) {
    dispatch(gpu, addInto, { total, addend }, uniforms, [x, y]);
    addend.releaseIfAlive();
    return total;
  }
  const sum = empty(gpu, total.axes, total.shape, total.name);
  dispatch(gpu, addTwo, { first: total, addend, total: sum }, uniforms, [x, y]);
  total.releaseIfAlive();
  addend.releaseIfAlive();
  return sum;
}
