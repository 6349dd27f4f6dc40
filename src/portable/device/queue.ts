/** Commands, and the queue that runs them: one after the other, on the calling thread, before submit() returns. */
import type { PortableBuffer } from './buffer.ts';
import type { Heap } from './heap.ts';
import { type BindGroup, checkBindings, type Pipeline } from './pipeline.ts';

export type Command = () => void;

/** Records; a command runs when the queue gets it. */
export class CommandEncoder {
  readonly commands: Command[] = [];
  private readonly queue: Queue;

  constructor(queue: Queue) {
    this.queue = queue;
  }

  beginComputePass(): unknown {
    let pipeline: Pipeline | null = null;
    let group: BindGroup | null = null;
    return {
      setPipeline: (made: Pipeline) => {
        pipeline = made;
      },
      setBindGroup: (_: number, made: BindGroup) => {
        group = made;
      },
      dispatchWorkgroups: (x: number, y = 1, z = 1) => {
        const [own, bound] = [pipeline, group];
        this.commands.push(() => this.queue.dispatch(own, bound ?? new Map(), x, y, z));
      },
      end: () => {},
    };
  }

  copyBufferToBuffer(from: PortableBuffer, fromByte: number, to: PortableBuffer, toByte: number, bytes: number): void {
    this.commands.push(() => this.queue.copy(from, fromByte, to, toByte, bytes));
  }

  finish(): unknown {
    return { commands: this.commands };
  }
}

export class Queue {
  private readonly heap: Heap;
  private readonly report: (message: string) => void;
  private readonly parameters: number;
  private scratch = { address: 0, bytes: 0 };

  constructor(heap: Heap, report: (message: string) => void) {
    this.heap = heap;
    this.report = report;
    this.parameters = heap.take(1024);
  }

  submit(buffers: readonly { readonly commands: readonly Command[] }[]): void {
    for (const { commands } of buffers) {
      for (const command of commands) {
        try {
          command();
        } catch (problem) {
          this.report((problem as Error).message);
          return;
        }
      }
    }
  }

  writeBuffer(to: PortableBuffer, offset: number, data: ArrayBuffer | ArrayBufferView, first = 0, size?: number): void {
    const unit = ArrayBuffer.isView(data) ? ((data as Uint8Array).BYTES_PER_ELEMENT ?? 1) : 1;
    const whole = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    const bytes = whole.subarray(first * unit, size === undefined ? undefined : (first + size) * unit);
    if (to.address === null || offset + bytes.length > to.size) {
      this.report(`a write of ${bytes.length} bytes at ${offset} does not fit the buffer of ${to.size}`);
      return;
    }
    this.heap.bytes.set(bytes, to.address + offset);
  }

  async onSubmittedWorkDone(): Promise<void> {}

  copy(from: PortableBuffer, fromByte: number, to: PortableBuffer, toByte: number, bytes: number): void {
    if (from.address === null || to.address === null)
      throw new Error('a copy uses a buffer that is destroyed or was never made');
    if (fromByte + bytes > from.size || toByte + bytes > to.size)
      throw new Error(`a copy of ${bytes} bytes reaches beyond its buffer`);
    this.heap.bytes.copyWithin(to.address + toByte, from.address + fromByte, from.address + fromByte + bytes);
  }

  dispatch(pipeline: Pipeline | null, group: BindGroup, x: number, y: number, z: number): void {
    if (!pipeline) throw new Error('a dispatch has no pipeline, or one that does not compile');
    checkBindings(pipeline, group);
    const { bindings, scratchBytes } = pipeline.compiled;
    if (this.scratch.bytes < scratchBytes) {
      if (this.scratch.bytes > 0) this.heap.giveBack(this.scratch.address, this.scratch.bytes);
      this.scratch = { address: this.heap.take(scratchBytes), bytes: scratchBytes };
    }
    const words = new Uint32Array(this.heap.memory.buffer, this.parameters, 2 * bindings.length);
    bindings.forEach(({ binding }, i) => {
      const { buffer, offset, size } = group.get(binding)!;
      if (buffer.address === null) throw new Error('a dispatch uses a buffer that is destroyed or was never made');
      words[2 * i] = buffer.address + offset;
      words[2 * i + 1] = size;
    });
    if (x > 0 && y > 0 && z > 0) pipeline.run(this.parameters, this.scratch.address, x, y, z);
  }
}
