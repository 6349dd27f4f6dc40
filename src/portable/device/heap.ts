/** Buffers' bytes: one WebAssembly.Memory for a device, and which parts of it are taken. */
const PAGE = 65536;
const ALIGN = 256;
/** What 32-bit addresses reach, but for the last page. */
const MOST_PAGES = 65535;

export class HeapFull extends Error {}

export class Heap {
  readonly memory = new WebAssembly.Memory({ initial: 16, maximum: MOST_PAGES });
  /** Free stretches by address; the first bytes stay free so that no buffer is at 0. */
  private free: { at: number; bytes: number }[] = [{ at: ALIGN, bytes: 16 * PAGE - ALIGN }];
  private view = new Uint8Array(this.memory.buffer);

  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.view.buffer !== this.memory.buffer) this.view = new Uint8Array(this.memory.buffer);
    return this.view;
  }

  /** The address of so many bytes, all zero. */
  take(wanted: number): number {
    const bytes = Math.max(ALIGN, Math.ceil(wanted / ALIGN) * ALIGN);
    let place = this.best(bytes);
    if (!place) {
      this.grow(bytes);
      place = this.best(bytes);
      if (!place) throw new HeapFull(`${bytes} bytes`);
    }
    const { at } = place;
    if (place.bytes === bytes) this.free.splice(this.free.indexOf(place), 1);
    else Object.assign(place, { at: at + bytes, bytes: place.bytes - bytes });
    this.bytes.fill(0, at, at + bytes);
    return at;
  }

  giveBack(at: number, wanted: number): void {
    const bytes = Math.max(ALIGN, Math.ceil(wanted / ALIGN) * ALIGN);
    let i = this.free.findIndex((other) => other.at > at);
    if (i < 0) i = this.free.length;
    this.free.splice(i, 0, { at, bytes });
    this.join(i);
    if (i > 0) this.join(i - 1);
  }

  private best(bytes: number) {
    let best: { at: number; bytes: number } | null = null;
    for (const place of this.free) if (place.bytes >= bytes && (!best || place.bytes < best.bytes)) best = place;
    return best;
  }

  private join(i: number): void {
    const [one, next] = [this.free[i], this.free[i + 1]];
    if (!next || one.at + one.bytes !== next.at) return;
    one.bytes += next.bytes;
    this.free.splice(i + 1, 1);
  }

  private grow(bytes: number): void {
    const now = this.memory.buffer.byteLength / PAGE;
    const needed = Math.ceil(bytes / PAGE);
    // A quarter more than there was, so that many small buffers do not grow it one by one.
    for (const pages of [Math.max(needed, Math.ceil(now / 4)), needed]) {
      if (now + pages > MOST_PAGES) continue;
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      this.giveBack(now * PAGE, pages * PAGE);
      return;
    }
    throw new HeapFull(`${bytes} bytes beside the ${now * PAGE} that the adapter holds`);
  }
}
