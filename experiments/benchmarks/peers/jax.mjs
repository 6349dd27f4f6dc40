/** jax-js: the shared step and the convolution trio. */
import { readFileSync } from 'node:fs';
import { adapterName } from './dawn.mjs';
import { convolutions, maps, noise, serve, size, trio, weights } from './serve.mjs';

const { init, defaultDevice, numpy: np, lax, nn, jit, valueAndGrad, vjp } = await import('@jax-js/jax');
const { version } = JSON.parse(readFileSync(new URL('node_modules/@jax-js/jax/package.json', import.meta.url)));
await init('webgpu');
defaultDevice('webgpu');

const tensor = (values, shape) => np.array(values).reshape(shape);
const convolve = (x, w, pad) =>
  lax.convGeneralDilated(
    x,
    w,
    [1, 1],
    [
      [pad, pad],
      [pad, pad],
    ],
  );

const { base, batch, height, width } = size;
const names = [];
let parameters = [];
const add = (name, value) => {
  names.push(name);
  parameters.push(value);
};
for (const [name, inputs, outputs] of convolutions(base)) {
  add(`${name}.w`, tensor(weights(9 * inputs * outputs, 9 * inputs), [outputs, inputs, 3, 3]));
  add(`${name}.b`, np.zeros([1, outputs, 1, 1]));
  add(`${name}.scale`, np.ones([1, outputs, 1, 1]));
  add(`${name}.shift`, np.zeros([1, outputs, 1, 1]));
}
add('last.w', tensor(weights(base, base), [1, base, 1, 1]));
add('last.b', np.zeros([1, 1, 1, 1]));

function network(list, image) {
  const at = Object.fromEntries(names.map((name, i) => [name, list[i]]));
  const layer = (x, name) => {
    const h = convolve(x, at[`${name}.w`].ref, 1).add(at[`${name}.b`].ref);
    const centred = h.ref.sub(np.mean(h, [0, 2, 3], { keepdims: true }));
    const variance = np.mean(centred.ref.mul(centred.ref), [0, 2, 3], { keepdims: true });
    const normal = centred.mul(np.reciprocal(np.sqrt(variance.add(1e-5))));
    return nn.relu(normal.mul(at[`${name}.scale`].ref).add(at[`${name}.shift`].ref));
  };
  const pool = (x) => {
    const [n, c, h, w] = x.shape;
    return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const skips = [];
  let x = image;
  for (let level = 0; level < 5; level++) {
    if (level) x = pool(x);
    x = layer(layer(x, `down${level}a`), `down${level}b`);
    if (level < 4) skips.push(x.ref);
  }
  for (let level = 3; level >= 0; level--) {
    const raised = layer(np.repeat(np.repeat(x, 2, 2), 2, 3), `raise${level}`);
    x = layer(layer(np.concatenate([skips[level], raised], 1), `up${level}a`), `up${level}b`);
  }
  return convolve(layer(x, 'head'), at['last.w'].ref, 0).add(at['last.b'].ref);
}

const divergence = (list, image, target) => {
  const logs = nn.logSoftmax(network(list, image).reshape([batch, height * width]));
  return np.sum(target.ref.mul(np.log(target.ref)).sub(target.mul(logs))).mul(1 / batch);
};
const [beta1, beta2, rate] = [0.9, 0.999, 1e-3];
const update = jit((list, first, second, scale1, scale2, image, target) => {
  const [loss, gradients] = valueAndGrad(divergence)(
    list.map((p) => p.ref),
    image,
    target,
  );
  const next = { list: [], first: [], second: [] };
  list.forEach((p, i) => {
    const m = first[i].mul(beta1).add(gradients[i].ref.mul(1 - beta1));
    const v = second[i].mul(beta2).add(gradients[i].ref.mul(gradients[i]).mul(1 - beta2));
    const root = np.sqrt(v.ref.mul(scale2.ref)).add(1e-8);
    next.list.push(p.sub(m.ref.mul(scale1.ref).mul(rate).div(root)));
    next.first.push(m);
    next.second.push(v);
  });
  return [loss, next.list, next.first, next.second];
});
let first = parameters.map((p) => np.zeros(p.shape));
let second = parameters.map((p) => np.zeros(p.shape));
const image = tensor(noise(batch * height * width), [batch, 1, height, width]);
const target = tensor(maps(batch, height * width), [batch, height * width]);
let steps = 0;
async function step() {
  steps++;
  const [scale1, scale2] = [1 / (1 - beta1 ** steps), 1 / (1 - beta2 ** steps)].map((scale) => np.array([scale]));
  let loss;
  [loss, parameters, first, second] = update(parameters, first, second, scale1, scale2, image.ref, target.ref);
  const value = await loss.jsAsync();
  await Promise.all(parameters.map((p) => p.blockUntilReady()));
  if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
}

const { batch: N, channels: C, height: H, width: W } = trio;
const x = tensor(noise(N * C * H * W), [N, C, H, W]);
const w = tensor(noise(9 * C * C), [C, C, 3, 3]);
const dy = tensor(noise(N * C * H * W), [N, C, H, W]);
const same = (x, w) => convolve(x, w, 1);
const forward = jit((x, w) => [same(x, w)]);
const gradInput = jit((x, w, dy) => {
  const [y, back] = vjp((x) => same(x, w.ref), [x]);
  y.dispose?.();
  return [back(dy)[0]];
});
const gradWeight = jit((x, w, dy) => {
  const [y, back] = vjp((w) => same(x.ref, w), [w]);
  y.dispose?.();
  return [back(dy)[0]];
});
const finish = async ([result]) => {
  await result.blockUntilReady();
  result.dispose();
};
await serve(`jax-js ${version}`, adapterName, {
  step,
  fwd: () => finish(forward(x.ref, w.ref)),
  dx: () => finish(gradInput(x.ref, w.ref, dy.ref)),
  dw: () => finish(gradWeight(x.ref, w.ref, dy.ref)),
});
