import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readSafetensors,
  type SafetensorsDtype,
  SafetensorsError,
  type StoredTensor,
  type TensorData,
  writeSafetensors,
} from '../../src/engine/safetensors.ts';
import { goldenFolder, readGolden } from '../support/oracle.ts';

interface ManifestFile {
  readonly file: string;
  readonly bytes: number;
  readonly expect: string;
  readonly tensors: string;
}

const manifest = readGolden('loading/manifest.json');
const files: ManifestFile[] = manifest.files.filter(({ file }: ManifestFile) => file.endsWith('.safetensors'));
const load = (path: string) => new Uint8Array(readFileSync(join(goldenFolder, path)));

function valuesOf(tensor: StoredTensor): (number | string)[] {
  return /^(F|BF)/.test(tensor.dtype) ? Array.from(tensor.toFloat64()) : tensor.toBigInts().map(String);
}

/** The error that reading ends with, which must be ours and one sentence. */
function refusal(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes);
  } catch (problem) {
    expect(problem).toBeInstanceOf(SafetensorsError);
    const { message } = problem as Error;
    expect(message).toMatch(/^[A-Z].*[.?]$/);
    expect(message.length).toBeLessThan(300);
    return message;
  }
  throw new Error('The file was accepted.');
}

describe.each(files)('recorded file $file', (row) => {
  it(`behaves as its manifest says: ${row.expect}`, () => {
    const bytes = load(`loading/${row.file}`);
    expect(bytes.length).toBe(row.bytes);
    const started = performance.now();
    const memory = process.memoryUsage().arrayBuffers;
    if (row.expect === 'reject') {
      refusal(bytes);
    } else {
      expect(row.expect).toBe('load');
      const { tensors } = readSafetensors(bytes);
      // biome-ignore lint/suspicious/noExplicitAny: a recorded table
      const wanted: [string, any][] = Object.entries(manifest.tensors[row.tensors]);
      expect([...tensors.keys()].sort()).toEqual(wanted.map(([name]) => name).sort());
      for (const [name, want] of wanted) {
        const tensor = tensors.get(name)!;
        expect([tensor.dtype, tensor.shape], name).toEqual([want.dtype, want.shape]);
        expect(valuesOf(tensor), name).toEqual(want.values);
      }
    }
    expect(performance.now() - started).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(64 * 2 ** 20);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });
});

describe.each(files.filter((row) => row.expect === 'load'))('loadable file $file', (row) => {
  const bytes = load(`loading/${row.file}`);

  it('survives being written again', () => {
    const first = readSafetensors(bytes);
    const copy = readSafetensors(writeSafetensors(first.tensors, first.metadata));
    expect(copy.metadata).toEqual(first.metadata);
    expect([...copy.tensors.keys()]).toEqual([...first.tensors.keys()]);
    for (const [name, { dtype, shape, data }] of first.tensors) {
      const { dtype: sameDtype, shape: sameShape, data: sameData } = copy.tensors.get(name)!;
      expect([sameDtype, sameShape]).toEqual([dtype, shape]);
      expect(Array.from(sameData)).toEqual(Array.from(data));
    }
  });

  it('is refused when cut anywhere, or made longer', () => {
    for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length));
    refusal(Uint8Array.from([...bytes, 0]));
  });
});

it('reads the files of the oracle, whole', () => {
  const names = readdirSync(join(goldenFolder, 'oracle')).filter((name) => name.endsWith('.safetensors'));
  expect(names.length * files.length).toBeGreaterThan(0);
  for (const name of names) {
    const bytes = load(`oracle/${name}`);
    const { tensors, metadata } = readSafetensors(bytes);
    const total = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(total).toBe(bytes.length - 8 - Number(new DataView(bytes.buffer).getBigUint64(0, true)));
    expect(metadata).toBeInstanceOf(Map);
  }
});

it("reads a Buffer from Node's pool", () => {
  const pooled = Buffer.from(writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) }]));
  expect(readSafetensors(pooled).tensors.get('a')!.toFloat32()).toEqual(Float32Array.of(1, -2));
});

/** A file with this header; the data are zeros. */
function fileWith(header: string, dataBytes = 4): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, 8);
  return file;
}

const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

describe('a header', () => {
  it('may have spaces and escapes', () => {
    const spaced = '{ "a\\u00e9\\"\\\\" :\n{"shape" : [ 1 ] ,"data_offsets":[0, 4],\t"dtype":"F32" } }  \r\n';
    expect([...readSafetensors(fileWith(spaced)).tensors.keys()]).toEqual(['aé"\\']);
    expect(readSafetensors(fileWith('{}', 0)).tensors.size).toBe(0);
  });

  it.each([
    ['a name spelled two ways', `{"a":${entry},"\\u0061":${entry}}`, 'In the header the name "a" occurs twice.'],
    ['metadata twice', `{"__metadata__":{},"__metadata__":{},"a":${entry}}`, 'occurs twice'],
    ['a metadata key twice', `{"__metadata__":{"k":"1","k":"2"},"a":${entry}}`, 'In __metadata__ the name "k"'],
    ['a field twice', '{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 'In tensor "a" the name'],
    [
      'an unknown field',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"stride":[1]}}',
      'unknown field "stride"',
    ],
    ['one offset', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}', '1 data_offsets instead of 2'],
    ['no dtype', '{"a":{"shape":[1],"data_offsets":[0,4]}}', 'Tensor "a" has no dtype.'],
    ['a shape as text', '{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}', 'where "[" belongs'],
    ['a size with an exponent', '{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', 'the number "1e0"'],
    ['a size with a leading zero', '{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', 'the number "01"'],
    [
      'a size that float64 rounds',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}',
      'the number',
    ],
    ['a missing size', '{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}', 'where a number belongs'],
    ['a comma too many', `{"a":${entry},}`, 'has "}" where "\\"" belongs'],
    ['text after the object', `{"a":${entry}} x`, 'has "x" where the end belongs'],
    ['a space before the object', ` {"a":${entry}}`, 'not a JSON object'],
    ['half a surrogate pair', `{"\\ud800":${entry}}`, 'not Unicode'],
    ['a raw line break in a name', `{"a\nb":${entry}}`, 'broken string'],
    ['an unclosed name', '{"a', 'broken string'],
    ['an object member as dtype', '{"a":{"dtype":"constructor","shape":[1],"data_offsets":[0,4]}}', 'unknown dtype'],
    ['deep nesting', '['.repeat(1e6), 'not a JSON object'],
    ['deep nesting in a shape', `{"a":{"shape":${'['.repeat(1e6)}`, 'where a number belongs'],
  ])('with %s is refused', (_, header, reason) => {
    expect(refusal(fileWith(header))).toContain(reason);
  });

  it('that is not UTF-8 is refused', () => {
    const file = fileWith(`{"a":${entry}}`);
    file[10] = 0xff;
    expect(refusal(file)).toBe('The header is not UTF-8 text.');
  });

  it('with a hole between tensors is refused', () => {
    const hole =
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}';
    expect(refusal(fileWith(hole, 3))).toBe('Tensor "b" leaves a hole before it: it begins at byte 2, not 1.');
  });

  it('shortens what it quotes', () => {
    expect(refusal(fileWith(`{"${'n'.repeat(1e6)}":1}`)).length).toBeLessThan(200);
  });
});

describe('values', () => {
  const roundTrip = (dtype: SafetensorsDtype, data: TensorData['data'], count: number) =>
    readSafetensors(writeSafetensors([{ name: 't', dtype, shape: [count], data }])).tensors.get('t')!;

  it('of 16-bit floats are exact, with infinities, NaN, zeros and subnormals', () => {
    const half = roundTrip(
      'F16',
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00),
      9,
    );
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: none } = Number;
    const halves = [1, -2, 65504, 2 ** -14, 2 ** -24, -0, POSITIVE_INFINITY, NEGATIVE_INFINITY, none];
    expect(Array.from(half.toFloat32())).toEqual(halves);
    const brain = roundTrip('BF16', Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x7fc0, 0x0001, 0x8000), 6);
    expect(Array.from(brain.toFloat64())).toEqual([1, -2, POSITIVE_INFINITY, none, 2 ** -133, -0]);
  });

  it.each([
    ['F64', Float64Array.of(0.1, -5)],
    ['F32', Float32Array.of(0.1, -5)],
    ['I64', BigInt64Array.of(-(2n ** 40n), 3n)],
    ['I32', Int32Array.of(-7, 2 ** 20)],
    ['I16', Int16Array.of(-7, 300)],
    ['I8', Int8Array.of(-7, 100)],
    ['U64', BigUint64Array.of(2n ** 63n, 3n)],
    ['U32', Uint32Array.of(2 ** 31, 1)],
    ['U16', Uint16Array.of(65535, 1)],
    ['U8', Uint8Array.of(255, 1)],
    ['BOOL', Uint8Array.of(0, 1)],
  ] as const)('of %s come back', (dtype, data) => {
    const tensor = roundTrip(dtype, data, 2);
    const wanted = Array.from<number | bigint, number>(data, Number);
    expect(Array.from(tensor.toFloat64())).toEqual(wanted);
    expect(Array.from(tensor.toFloat32())).toEqual(wanted.map(Math.fround));
    if (!dtype.startsWith('F')) expect(tensor.toBigInts()).toEqual(Array.from<number | bigint, bigint>(data, BigInt));
    else expect(() => tensor.toBigInts()).toThrow(`Tensor "t" holds ${dtype}, not integers.`);
  });

  it('of integers are never rounded', () => {
    const large = roundTrip('I64', BigInt64Array.of(1n, 2n ** 53n + 1n), 2);
    expect(() => large.toFloat64()).toThrow('Tensor "t" holds 9007199254740993 at index 1, which float64 cannot hold');
    expect(() => large.toFloat32()).toThrow('which float32 cannot hold');
    expect(large.toBigInts()).toEqual([1n, 2n ** 53n + 1n]);
    expect(() => roundTrip('U32', Uint32Array.of(2 ** 24 + 1), 1).toFloat32()).toThrow('holds 16777217');
  });
});

describe('writing', () => {
  const one = { dtype: 'F32', shape: [1], data: Float32Array.of(2.5) } as const;

  it('gives the bytes of the format', () => {
    const file = writeSafetensors([{ name: 'w', ...one }], { k: 'v' });
    const header = '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    expect(new DataView(file.buffer).getBigUint64(0, true)).toBe(BigInt(padded.length));
    expect(new TextDecoder().decode(file.subarray(8, 8 + padded.length))).toBe(padded);
    expect(Array.from(file.subarray(8 + padded.length))).toEqual([0, 0, 0x20, 0x40]);
  });

  it('keeps any tensors, names and order, from a list or a map, and gives the same bytes again', () => {
    const tensor = fc
      .record({
        shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        fill: fc.integer({ min: 0, max: 255 }),
      })
      .map(({ shape, fill }) => {
        const size = shape.reduce((product, n) => product * n, 1);
        return { dtype: 'I16' as const, shape, data: new Int16Array(size).fill(fill) };
      });
    const named = fc.oneof(fc.constantFrom('__proto__', 'constructor', '1', ''), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(named, tensor), { selector: ([name]) => name }), (list) => {
        const map = new Map(list);
        map.delete('__metadata__');
        const bytes = writeSafetensors(map);
        expect(writeSafetensors([...map].map(([name, data]) => ({ name, ...data })))).toEqual(bytes);
        expect(bytes.length % 2).toBe(0);
        const { tensors } = readSafetensors(bytes);
        expect([...tensors.keys()]).toEqual([...map.keys()]);
        for (const [name, { shape, data }] of map) {
          expect(tensors.get(name)!.shape).toEqual(shape);
          expect(tensors.get(name)!.toBigInts()).toEqual(Array.from(data, BigInt));
        }
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  it.each<[string, string, object, string]>([
    ['a shape that its data do not fill', 'a', { shape: [2] }, 'Tensor "a" of F32 [2] needs 8 bytes, its data has 4.'],
    ['a negative size', 'a', { shape: [-1, -1] }, 'of F32 [-1, -1] needs'],
    ['an array of another type', 'a', { data: Int32Array.of(1) }, 'wants a Float32Array or raw bytes, got Int32Array.'],
    ['a reserved name', '__metadata__', {}, 'The name "__metadata__" is reserved or occurs twice.'],
    ['half a surrogate pair', '\ud800', {}, 'Names and metadata must be Unicode strings'],
  ])('refuses %s', (_, name, change, reason) => {
    expect(() => writeSafetensors([{ name, ...one, ...change }])).toThrow(reason);
  });

  it('refuses a name twice, and metadata that are not strings', () => {
    const twice = [
      { name: 'a', ...one },
      { name: 'a', ...one },
    ];
    expect(() => writeSafetensors(twice)).toThrow('occurs twice');
    expect(() => writeSafetensors([], { k: 1 as unknown as string })).toThrow('must be Unicode strings, got number.');
  });
});
