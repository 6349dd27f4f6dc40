/**
 * TensorBoard's event files: TFRecord frames around protobuf messages.
 *
 *     frame   length (uint64), masked CRC of its 8 bytes (uint32), message, masked CRC of the message (uint32); little endian
 *     mask    ((crc >> 15 | crc << 17) + 0xa282ead8) mod 2^32, crc = CRC-32C (Castagnoli)
 *
 * Source of the schema's numbers: tensorboard/compat/proto/event.proto and summary.proto; of the frame: tensorflow/core/lib/io/record_writer.h.
 */
import protobuf from 'protobufjs';

const schema = `
syntax = "proto3";
message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
message Summary { repeated Value value = 1; }
message Value { string tag = 1; float simple_value = 2; Image image = 4; }
message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
`;

const EventType = protobuf.parse(schema, { keepCase: true }).root.lookupType('Event');

/** Reflected polynomial of Castagnoli. */
const POLYNOMIAL = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const masked = (crc: number) => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0;

function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(message, 12);
  view.setUint32(12 + message.length, masked(crc32c(message)), true);
  return bytes;
}

/** Of the file's first event; readers look for it. */
export function versionEvent(wallTime: number): Uint8Array {
  return frame(EventType.encode({ wall_time: wallTime, file_version: 'brain.Event:2' }).finish());
}

export interface EventImage {
  readonly tag: string;
  readonly height: number;
  readonly width: number;
  readonly png: Uint8Array;
}

/** @param wallTime seconds since 1970 */
export function summaryEvent(
  wallTime: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
  images: readonly EventImage[] = [],
): Uint8Array {
  const value = [
    ...Object.entries(scalars).map(([tag, simple_value]) => ({ tag, simple_value })),
    ...images.map(({ tag, height, width, png }) => ({
      tag,
      image: { height, width, colorspace: 3, encoded_image_string: png },
    })),
  ];
  return frame(EventType.encode({ wall_time: wallTime, step, summary: { value } }).finish());
}
