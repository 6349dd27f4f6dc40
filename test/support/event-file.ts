/** Reads TensorBoard's event files without any of our code or a protobuf library, and refuses a frame whose checks do not hold. */

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version: string | null;
  readonly scalars: Record<string, number>;
  readonly images: Record<string, { height: number; width: number; bytes: number }>;
}

/** Division by the reflected polynomial, bit by bit. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) crc = ((crc ^ (byte >> bit)) & 1 ? 0x82f63b78 : 0) ^ (crc >>> 1);
  return ~crc >>> 0;
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

export function readEvents(file: Uint8Array): ReadEvent[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const message = file.subarray(at + 12, at + 12 + length);
    if (unmask(view.getUint32(at + 8, true)) !== slowCrc32c(file.subarray(at, at + 8))) throw new Error('length check');
    if (unmask(view.getUint32(at + 12 + length, true)) !== slowCrc32c(message)) throw new Error('message check');
    events.push(readEvent(message));
    at += length + 16;
  }
  return events;
}

type Field = { readonly number: number; readonly value: number | DataView };

/** Fields of a message: varints and 64 and 32 bit numbers as numbers, the rest as bytes. */
function* fields(message: DataView): Generator<Field> {
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message.getUint8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < message.byteLength) {
    const key = varint();
    const [number, type] = [key >> 3, key & 7];
    if (type === 0) {
      yield { number, value: varint() };
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : varint();
    const from = at;
    at += length;
    if (type === 1) yield { number, value: message.getFloat64(from, true) };
    else if (type === 5) yield { number, value: message.getFloat32(from, true) };
    else yield { number, value: new DataView(message.buffer, message.byteOffset + from, length) };
  }
}

const text = (view: DataView) => new TextDecoder().decode(view);

function readEvent(message: Uint8Array): ReadEvent {
  const event = { wallTime: 0, step: 0, version: null as string | null, scalars: {}, images: {} } as ReadEvent & {
    wallTime: number;
    step: number;
    version: string | null;
  };
  for (const { number, value } of fields(new DataView(message.buffer, message.byteOffset, message.length))) {
    if (number === 1) event.wallTime = value as number;
    if (number === 2) event.step = value as number;
    if (number === 3) event.version = text(value as DataView);
    if (number === 5) for (const { value: one } of fields(value as DataView)) readValue(one as DataView, event);
  }
  return event;
}

function readValue(message: DataView, { scalars, images }: ReadEvent): void {
  const all = Object.fromEntries([...fields(message)].map(({ number, value }) => [number, value]));
  const tag = text(all[1] as DataView);
  if (all[2] !== undefined) scalars[tag] = all[2] as number;
  if (all[4] === undefined) return;
  const image = Object.fromEntries([...fields(all[4] as DataView)].map(({ number, value }) => [number, value]));
  images[tag] = { height: image[1] as number, width: image[2] as number, bytes: (image[4] as DataView).byteLength };
}
