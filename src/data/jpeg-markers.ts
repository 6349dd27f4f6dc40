/** The markers of a JPEG (ITU T.81, annex B), read before a decoder takes memory or time for what they announce. */

/** Files of ten bytes a scan over a large picture would keep a decoder busy for hours; progressive films have about ten scans. */
const MOST_SCANS = 64;
const [SOS, EOI, TEM] = [0xda, 0xd9, 0x01];

const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

/** Rows and columns of the one frame header (SOF0 to SOF15). @throws Error, a clause, for a second one and for too many scans */
export function jpegSize(bytes: Uint8Array): { height: number; width: number } {
  let size: { height: number; width: number } | null = null;
  let scans = 0;
  for (let at = 2; at + 1 < bytes.length; ) {
    if (bytes[at] !== 0xff) throw new Error('a JPEG marker is missing');
    const marker = bytes[at + 1];
    if (marker === EOI) break;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isRestart(marker) || marker === TEM) {
      at += 2;
      continue;
    }
    if (isFrameHeader(marker) && at + 8 < bytes.length) {
      if (size) throw new Error('the JPEG has a second frame header');
      size = { height: (bytes[at + 5] << 8) | bytes[at + 6], width: (bytes[at + 7] << 8) | bytes[at + 8] };
    }
    if (marker === SOS && ++scans > MOST_SCANS) throw new Error(`the JPEG has more than ${MOST_SCANS} scans`);
    at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (marker === SOS) at = afterScan(bytes, at);
  }
  if (!size) throw new Error('the JPEG has no frame header');
  return size;
}

/** Where the next marker stands: in a scan 0xff is followed by 0 or a restart. */
function afterScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1))
    if (bytes[at + 1] !== 0 && !isRestart(bytes[at + 1])) return at;
  return bytes.length;
}
