/** Bytes of files, damaged at random. */
import fc from 'fast-check';

const TOKENS = [
  '__proto__',
  'constructor',
  '../../../x',
  '1e999',
  '-1',
  '"',
  '[[[[[[[[',
  '{"a":',
  '\0',
  '\ufeff',
  '%',
  '&a=',
  ',',
].map((words) => new TextEncoder().encode(words));

/** One of the corpus, changed in up to six places; sometimes bytes of no corpus. */
export function damaged(corpus: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.constantFrom(...TOKENS),
    fc.constantFrom(Uint8Array.of(0, 0, 0, 0), Uint8Array.of(255, 255, 255, 255), Uint8Array.of(255, 255, 255, 127)),
  );
  const change = fc.record({
    kind: fc.constantFrom('flip', 'over', 'insert', 'cut', 'repeat', 'remove'),
    place,
    length: fc.nat(40),
    piece,
  });
  const changed = fc.tuple(fc.constantFrom(...corpus), fc.array(change, { minLength: 1, maxLength: 6 }));
  return fc.oneof(
    { weight: 12, arbitrary: changed.map(([bytes, changes]) => changes.reduce(apply, bytes)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

interface Change {
  readonly kind: string;
  readonly place: number;
  readonly length: number;
  readonly piece: Uint8Array;
}

function apply(bytes: Uint8Array, { kind, place, length, piece }: Change): Uint8Array {
  const at = Math.floor(place * bytes.length);
  const around = (middle: Uint8Array, skip: number) =>
    Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(at + skip)]);
  if (kind === 'flip') return around(Uint8Array.of((bytes[at] ?? 0) ^ (1 << (length % 8))), 1);
  if (kind === 'over') return around(piece, piece.length);
  if (kind === 'insert') return around(piece, 0);
  if (kind === 'repeat') return around(bytes.subarray(at, at + length), 0);
  if (kind === 'remove') return around(Uint8Array.of(), length);
  return bytes.slice(0, at);
}
