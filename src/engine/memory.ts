/**
 * GPU buffers that are handed out, given back and handed out again.
 *
 * A storage is one GPUBuffer with a count of the tensors that look at it. When the count reaches zero the buffer returns to the pool; the
 * queue runs commands in order, so the next taker may write it at once. Uploads are the exception: queue.writeBuffer takes effect
 * before the commands of a still-open encoder, so a buffer that this step has already used must not receive one (see `upload`).
 */
import { outOfMemory, type Watch } from './faults.ts';

export interface MemoryReport {
  /** Bytes that tensors hold now. */
  readonly liveBytes: number;
  /** Largest liveBytes so far. */
  readonly peakBytes: number;
  /** Bytes of all buffers, held or free. */
  readonly pooledBytes: number;
  readonly liveStorages: number;
  readonly buffers: number;
}

const USAGE = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC, spelled out because GPUBufferUsage is not global in every Node version

/** One GPU buffer and the number of tensors that look at it. */
export class Storage {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  readonly id: number;
  private readonly pool: BufferPool;
  holders = 1;
  /** Which taker has it now. */
  takers = 1;
  /** Recorded steps that will write to it whenever they are done again; see recording.ts. */
  plans = 0;
  /** The device had no memory for it. */
  broken = false;

  constructor(pool: BufferPool, buffer: GPUBuffer, bytes: number, id: number) {
    this.pool = pool;
    this.buffer = buffer;
    this.bytes = bytes;
    this.id = id;
  }

  hold(): this {
    this.holders++;
    return this;
  }

  release(): void {
    if (--this.holders === 0) this.pool.giveBack(this);
    if (this.holders < 0) throw new Error(`memory: storage ${this.id} was given back twice.`);
  }
}

/** Rounds up to one of eight sizes an octave, so that nearly equal tensors share buffers and at most an eighth is wasted. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 3);
  const granularity = Math.max(256, step);
  return Math.ceil(bytes / granularity) * granularity;
}

const WORTH_SHARING = 65536;

export class BufferPool {
  private readonly device: GPUDevice;
  private readonly watch: Watch;
  private readonly free = new Map<number, Storage[]>();
  private readonly usedThisStep = new Map<number, Storage[]>();
  private readonly all = new Set<GPUBuffer>();
  /**
   * Whether a free buffer of up to twice the size does where there is none of the right one. For backward passes, in which large buffers come
   * free; a forward pass keeps what it takes.
   */
  shares = false;
  private nextId = 1;
  private stepOpen = false;
  private liveBytes = 0;
  private peakBytes = 0;
  private pooledBytes = 0;
  private liveStorages = 0;
  private atStart = 0;
  private stepPeak = 0;
  private trimmed = 0;
  /** Bytes of the largest buffer that the device makes. */
  private readonly largest: number;

  constructor(device: GPUDevice, watch: Watch = (_, make) => make()) {
    this.device = device;
    this.watch = watch;
    this.largest = Math.floor((device.limits?.maxBufferSize ?? Number.POSITIVE_INFINITY) / 256) * 256;
  }

  /** A buffer of at least `bytes` with unspecified contents. `upload` marks one that queue.writeBuffer will fill inside an open step. */
  acquire(bytes: number, purpose: 'compute' | 'upload' = 'compute'): Storage {
    const size = Math.max(bytes, Math.min(sizeClass(bytes), this.largest));
    // Buffers released earlier in the open step are fine for kernels, which run in order, but not for uploads.
    const reused = purpose === 'compute' ? this.usedThisStep.get(size)?.pop() : undefined;
    const storage =
      reused ?? this.fromShelf(size) ?? (purpose === 'compute' ? this.larger(size) : undefined) ?? this.create(size);
    storage.holders = 1;
    storage.takers++;
    this.liveStorages++;
    this.liveBytes += storage.bytes;
    this.notePeak(this.liveBytes);
    return storage;
  }

  giveBack(storage: Storage): void {
    this.liveStorages--;
    this.liveBytes -= storage.bytes;
    if (storage.broken) this.destroy(storage);
    else shelve(this.stepOpen ? this.usedThisStep : this.free, storage);
  }

  openStep(): void {
    this.stepOpen = true;
    this.atStart = this.stepPeak = this.liveBytes;
  }

  closeStep(): void {
    this.stepOpen = false;
    for (const [size, storages] of this.usedThisStep) {
      for (const storage of storages) shelve(this.free, storage);
      // The same order before every step: a step like the one before then gets the same buffers and finds its bind groups again.
      this.free.get(size)?.sort((a, b) => b.id - a.id);
    }
    this.usedThisStep.clear();
  }

  report(): MemoryReport {
    const { liveBytes, peakBytes, pooledBytes, liveStorages } = this;
    return { liveBytes, peakBytes, pooledBytes, liveStorages, buffers: this.all.size };
  }

  /** Bytes that the step which ended last held at most, beside those held before it. */
  get stepBytes(): number {
    return this.stepPeak - this.atStart;
  }

  /** How often buffers were destroyed that nobody held: whoever remembers one asks whether it may still be there. */
  get trims(): number {
    return this.trimmed;
  }

  /** A step is done again with the buffers it once took. */
  noteStep(bytes: number): void {
    this.notePeak(this.liveBytes + bytes);
  }

  /** Forgets the peak, to measure the next stretch of work alone. */
  resetPeak(): void {
    this.peakBytes = this.liveBytes;
  }

  /** Destroys the buffers that nobody holds. */
  trim(): void {
    this.trimmed++;
    for (const storages of this.free.values()) {
      for (const storage of storages) this.destroy(storage);
    }
    this.free.clear();
  }

  destroyAll(): void {
    for (const buffer of this.all) buffer.destroy();
    this.all.clear();
    this.free.clear();
  }

  private notePeak(bytes: number): void {
    this.peakBytes = Math.max(this.peakBytes, bytes);
    this.stepPeak = Math.max(this.stepPeak, bytes);
  }

  /** Tensors that last take no buffer that a recorded step would write to. */
  private fromShelf(size: number): Storage | undefined {
    const shelf = this.free.get(size);
    if (this.stepOpen || !shelf) return shelf?.pop();
    const at = shelf.findLastIndex(({ plans }) => plans === 0);
    return at < 0 ? undefined : shelf.splice(at, 1)[0];
  }

  /** The smallest free buffer that is larger, up to twice; small ones are not worth it. */
  private larger(size: number): Storage | undefined {
    if (!this.shares || size < WORTH_SHARING) return undefined;
    let best = 2 * size + 1;
    for (const shelves of [this.usedThisStep, this.free]) {
      for (const [bytes, { length }] of shelves) if (bytes > size && bytes < best && length > 0) best = bytes;
    }
    return this.usedThisStep.get(best)?.pop() ?? this.free.get(best)?.pop();
  }

  private create(size: number): Storage {
    const held = this.pooledBytes;
    const buffer = this.watch(
      ['out-of-memory'],
      () => this.device.createBuffer({ size, usage: USAGE }),
      (message, adapter) => {
        this.discard(storage);
        return outOfMemory(adapter, `${size} bytes beside the ${held} that it holds`, message);
      },
    );
    this.all.add(buffer);
    this.pooledBytes += size;
    const storage = new Storage(this, buffer, size, this.nextId++);
    return storage;
  }

  /** Never hands this one out again. */
  private discard(storage: Storage): void {
    storage.broken = true;
    for (const shelves of [this.free, this.usedThisStep]) {
      const storages = shelves.get(storage.bytes) ?? [];
      const at = storages.indexOf(storage);
      if (at < 0) continue;
      storages.splice(at, 1);
      this.destroy(storage);
    }
  }

  private destroy(storage: Storage): void {
    storage.buffer.destroy();
    this.all.delete(storage.buffer);
    this.pooledBytes -= storage.bytes;
  }
}

function shelve(shelves: Map<number, Storage[]>, storage: Storage): void {
  const storages = shelves.get(storage.bytes);
  if (storages) storages.push(storage);
  else shelves.set(storage.bytes, [storage]);
}
