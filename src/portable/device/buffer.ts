/** GPUBuffer over the heap. */
import type { Heap } from './heap.ts';

const MAP_READ = 0x01;
const MAP_WRITE = 0x02;

export class PortableBuffer {
  readonly size: number;
  readonly usage: number;
  readonly label: string;
  /** Null where there was no memory for it, and once it is destroyed. */
  address: number | null;
  mapState: 'unmapped' | 'pending' | 'mapped' = 'unmapped';
  private readonly heap: Heap;
  /** Parts that the page holds: they are copies, since the heap moves as it grows. */
  private ranges: { readonly offset: number; readonly bytes: ArrayBuffer }[] = [];
  private writes = false;

  constructor(
    heap: Heap,
    { size, usage, label = '', mappedAtCreation = false }: GPUBufferDescriptor,
    address: number | null,
  ) {
    this.heap = heap;
    this.size = size;
    this.usage = usage;
    this.label = label;
    this.address = address;
    if (mappedAtCreation) {
      this.mapState = 'mapped';
      this.writes = true;
    }
  }

  async mapAsync(mode: number): Promise<void> {
    if (this.mapState !== 'unmapped' || !(this.usage & (MAP_READ | MAP_WRITE)) || this.address === null) {
      throw new DOMException('this buffer cannot be mapped now', 'OperationError');
    }
    this.mapState = 'pending';
    await Promise.resolve();
    if (this.address === null) throw new DOMException('the buffer was destroyed', 'AbortError');
    this.mapState = 'mapped';
    this.writes = (mode & MAP_WRITE) !== 0;
  }

  getMappedRange(offset = 0, size = this.size - offset): ArrayBuffer {
    if (this.mapState !== 'mapped') throw new DOMException('this buffer is not mapped', 'OperationError');
    const at = (this.address ?? 0) + offset;
    const bytes = this.address === null ? new ArrayBuffer(size) : this.heap.bytes.slice(at, at + size).buffer;
    this.ranges.push({ offset, bytes });
    return bytes;
  }

  unmap(): void {
    for (const { offset, bytes } of this.ranges) {
      if (this.writes && this.address !== null) this.heap.bytes.set(new Uint8Array(bytes), this.address + offset);
    }
    this.ranges = [];
    this.mapState = 'unmapped';
  }

  destroy(): void {
    if (this.address !== null) this.heap.giveBack(this.address, this.size);
    this.address = null;
    this.ranges = [];
    this.mapState = 'unmapped';
  }
}
