import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredTensor } from '../../src/engine/safetensors.ts';
import { isTorchFile, readTorch, TorchFileError } from '../../src/engine/torch.ts';
import { goldenFolder, readGolden } from '../support/oracle.ts';

interface ManifestFile {
  readonly file: string;
  readonly bytes: number;
  readonly expect: string;
  readonly tensors: string;
  readonly note: string;
}

const manifest = readGolden('loading/manifest.json');
const files: ManifestFile[] = manifest.files.filter(({ file }: ManifestFile) => /\.pth?$/.test(file));
const load = (path: string) => new Uint8Array(readFileSync(join(goldenFolder, 'loading', path)));

function valuesOf(tensor: StoredTensor): (number | string)[] {
  return /^(F|BF)/.test(tensor.dtype) ? Array.from(tensor.toFloat64()) : tensor.toBigInts().map(String);
}

function read(bytes: Uint8Array): Map<string, StoredTensor> | string {
  try {
    return readTorch(bytes).tensors;
  } catch (problem) {
    expect(problem).toBeInstanceOf(TorchFileError);
    const { message } = problem as Error;
    expect(message).toMatch(/^[A-Z].*[.?]$/);
    expect(message.length).toBeLessThan(300);
    return message;
  }
}

describe.each(files)('recorded file $file', (row) => {
  it(`behaves as its manifest says: ${row.expect}`, () => {
    const bytes = load(row.file);
    expect(bytes.length).toBe(row.bytes);
    const started = performance.now();
    const memory = process.memoryUsage().arrayBuffers;
    const result = read(bytes);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(64 * 2 ** 20);
    if (typeof result === 'string') {
      expect(row.expect).toMatch(/reject/);
      const [, named] =
        /(?:global|_)((?:os|posix)\.system|builtins\.eval)/.exec(row.file.replace('evil', 'global')) ?? [];
      if (named) expect(result).toContain(named);
    } else if (row.expect.includes('load') && row.tensors) {
      // biome-ignore lint/suspicious/noExplicitAny: a recorded table
      const wanted: [string, any][] = Object.entries(manifest.tensors[row.tensors]);
      expect([...result.keys()].sort()).toEqual(wanted.map(([name]) => name).sort());
      for (const [name, want] of wanted) {
        const tensor = result.get(name)!;
        expect([tensor.dtype, tensor.shape], name).toEqual([want.dtype, want.shape]);
        expect(valuesOf(tensor), name).toEqual(want.values);
      }
    } else {
      expect(row.expect).toBe('reject-or-empty');
      expect(result.size).toBe(0);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(existsSync('/tmp/pwned_golden')).toBe(false);
  });
});

const loadable = files.filter((row) => row.expect === 'load');

describe.each(loadable)('loadable file $file', (row) => {
  const bytes = load(row.file);

  it('is refused when cut anywhere, or made longer', () => {
    expect(isTorchFile(bytes)).toBe(true);
    for (let length = 0; length < bytes.length; length++) {
      expect(typeof read(bytes.subarray(0, length)), `${length} bytes`).toBe('string');
    }
    expect(typeof read(Uint8Array.from([...bytes, 0]))).toBe('string');
  });

  it('with any bytes changed ends in tensors or in one sentence', () => {
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = bytes.slice();
        for (const [at, value] of changes) changed[at] = value;
        read(changed);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

it('a changed byte of a record in a zip file never passes: its CRC-32 tells', () => {
  const zips = loadable.filter(({ file }) => file.endsWith('.pt'));
  expect(zips.length).toBeGreaterThan(0);
  for (const { file } of zips) {
    const bytes = load(file);
    const name = new TextEncoder().encode('data/0');
    const at = bytes.findIndex((_, i) => name.every((byte, j) => bytes[i + j] === byte));
    const extra = new DataView(bytes.buffer).getUint16(at - 'archive/'.length - 2, true);
    bytes[at + name.length + extra] ^= 1;
    expect(read(bytes)).toMatch(/CRC-32/);
  }
});

describe('a hostile pickle', () => {
  const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  /** A legacy file whose object is this pickle. */
  const legacy = (object: string | Uint8Array) => {
    const start = load(loadable.find(({ file }) => file.endsWith('.pth'))!.file);
    let at = 0;
    for (let pickle = 0; pickle < 3; pickle++) at = start.indexOf(0x2e, at + 1) + 1;
    const body = typeof object === 'string' ? ascii(object) : object;
    const whole = new Uint8Array(at + body.length);
    whole.set(start.subarray(0, at));
    whole.set(body, at);
    return whole;
  };

  it('that nests shared tuples a thousand deep costs no more than its length', () => {
    const result = read(legacy(`\x80\x02}U\x01a)${'2\x86'.repeat(1000)}s.`));
    expect(typeof result).toBe('string');
  });

  it('that makes containers without end is stopped', () => {
    const file = legacy(new Uint8Array(20_000_000).fill('}'.charCodeAt(0)));
    const started = performance.now();
    expect(read(file)).toMatch(/containers/);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('that does nothing for long is stopped', () => {
    const file = legacy(`\x80\x02${'N0'.repeat(400_000)}.`);
    const started = performance.now();
    expect(read(file)).toMatch(/operations/);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each(['cos\nsystem\n', 'ctorch\nload\n', 'c__builtin__\ngetattr\n', 'cfunctools\npartial\n', 'cnumpy\nload\n'])(
    'that names %j is refused by name',
    (text) => {
      const [module, name] = text.slice(1).split('\n');
      expect(read(legacy(`\x80\x02${text}0}.`))).toContain(`${module}.${name}`);
    },
  );

  it('of operations at random ends in one sentence', () => {
    const operations = [...'\x80(012NJKM\x8aGX\x8cU}])t\x85\x86\x87aesuqrh\x94jcQRb.\x93\x95\x88\x89'].map((c) =>
      c.charCodeAt(0),
    );
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...operations) },
      { weight: 1, arbitrary: fc.nat(255) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (codes) => {
        expect(typeof read(legacy(Uint8Array.from(codes)))).toBe('string');
      }),
      { numRuns: 500 },
    );
  });
});
