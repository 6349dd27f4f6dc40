import { describe, expect, it } from 'vitest';
import { add, backward, parameter, relu, scale, square, sum, Tensor, upload } from '../../src/engine/index.ts';
import { empty, write } from '../../src/engine/tensor.ts';
import { testGpu } from '../support/gpu.ts';

describe('uploading', () => {
  it('takes as many values as the shape has elements', async () => {
    const gpu = await testGpu();
    expect(() => upload(gpu, 'NC', [2, 3], [1, 2], 'image')).toThrow(
      'upload: 2 values were given for 6 elements.\n  image N=2 C=3',
    );
    expect(() => upload(gpu, 'NC', [2], [1, 2], 'image')).toThrow('2 axis letters ("NC") name 1 axes');
    expect(() => upload(gpu, 'N', [1.5], [1], 'image')).toThrow('1.5 is not a length');
  });

  it('brings back what was sent', async () => {
    const gpu = await testGpu();
    const values = Float32Array.of(0, -0, 1e-30, -3.5, 3e38);
    const tensor = upload(gpu, 'N', [5], values);
    expect(await gpu.read(tensor)).toEqual(values);
    tensor.release();
  });

  it('refuses a tensor over the buffer limit by name, with both sizes', async () => {
    const gpu = await testGpu();
    const allowed = gpu.limits.maxBufferSize;
    const tooMany = Math.ceil(allowed / 4) + 2 ** 18; // one MiB more
    const before = gpu.memory();
    const mib = allowed / 2 ** 20;
    const message = `activations: ${(mib + 1).toFixed(0)} MiB are more than the ${mib.toFixed(0)} MiB that ${gpu.description.name} can hold in one buffer.\n  tensor N=${tooMany}`;
    expect(() => empty(gpu, 'N', [tooMany], 'activations')).toThrow(message);
    expect(gpu.memory()).toEqual(before);
  });
});

describe('writing', () => {
  it('replaces the contents of a lasting tensor', async () => {
    const gpu = await testGpu();
    const tensor = upload(gpu, 'N', [2], [1, 2], 'weight');
    write(tensor, Float32Array.of(3, 4));
    expect(Array.from(await gpu.read(tensor))).toEqual([3, 4]);
    expect(() => write(tensor, Float32Array.of(1))).toThrow('write: 1 values were given for 2 elements.');
    const inStep = async () => gpu.step(() => write(tensor, Float32Array.of(5, 6)));
    await expect(inStep).rejects.toThrow('write: weight cannot be written while a step is open');
    tensor.release();
    expect(() => write(tensor, Float32Array.of(5, 6))).toThrow('write: weight (N=2) was already given back');
  });
});

describe('life and death', () => {
  it('a tensor born outside a step outlives steps, one born inside does not', async () => {
    const gpu = await testGpu();
    const lasting = upload(gpu, 'N', [2], [1, 2], 'lasting');
    let passing: Tensor | undefined;
    await gpu.step(() => {
      passing = square(lasting);
    });
    expect([lasting.isAlive, passing?.isAlive]).toEqual([true, false]);
    await expect(async () => gpu.step(() => relu(passing as Tensor))).rejects.toThrow(
      'relu: square (N=2) was already given back; call keep() on it before backward(), or use it inside its step.',
    );
    lasting.release();
    expect(() => lasting.release()).toThrow('lasting: this tensor was given back twice.');
    lasting.releaseIfAlive();
  });

  it('a parameter must be made outside a step', async () => {
    const gpu = await testGpu();
    const inStep = async () => gpu.step(() => parameter(gpu, 'N', [1], Float32Array.of(1), 'weight'));
    await expect(inStep).rejects.toThrow('parameter: weight must be made outside a step, or it would pass with it.');
  });
});

describe('a view', () => {
  it('shares the storage, and keeps it for as long as either lives', async () => {
    const gpu = await testGpu();
    const { buffers } = gpu.memory();
    const tensor = upload(gpu, 'NC', [2, 3], [1, 2, 3, 4, 5, 6], 'matrix');
    const flat = tensor.view('N', [6]);
    expect(flat.storage).toBe(tensor.storage);
    expect(gpu.memory().buffers).toBeLessThanOrEqual(buffers + 1);
    tensor.release();
    expect(Array.from(await gpu.read(flat))).toEqual([1, 2, 3, 4, 5, 6]);
    const { liveStorages } = gpu.memory();
    flat.release();
    expect(gpu.memory().liveStorages).toBe(liveStorages - 1);
  });

  it('passes the gradient through', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'NC', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6), 'x');
    const { slope } = await gpu.step(() => {
      const flat = x.view('K', [6]);
      backward(sum(add(square(flat), scale(flat, 10))));
      return { slope: x.gradient as Tensor<'NC'> };
    });
    expect(Array.from(slope)).toEqual([12, 14, 16, 18, 20, 22]);
    x.release();
  });

  it('has as many elements as the original', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'NC', [2, 3], new Float32Array(6), 'matrix');
    expect(() => x.view('N', [5])).toThrow(
      'view: 6 elements cannot be seen as 5.\n  input  N=2 C=3   (matrix)\n  wanted N=5',
    );
    expect(() => x.view('NC', [6])).toThrow('2 axis letters ("NC") name 1 axes');
    x.release();
  });
});

it('the letters are the type', async () => {
  const gpu = await testGpu();
  const matrix = upload(gpu, 'NC', [1, 1], [1]);
  // @ts-expect-error a matrix is not an image
  const image: Tensor<'NCHW'> = matrix;
  expect(image).toBeInstanceOf(Tensor);
  matrix.release();
});
