/**
 * Python's pickle as torch.save writes it, read as data: a stack machine that knows tensors, OrderedDict and plain containers.
 *
 * Nothing can be called. A global is looked up in a list of names when it is read, not when it is used, and REDUCE knows only what the list
 * means. Time and memory are bounded by the number of operations; lengths are compared with the bytes that are there.
 * Source: CPython, Lib/pickletools.py; torch/_utils.py `_rebuild_tensor_v2`.
 */
import { TorchFileError } from './torch-error.ts';
import { allowed, Global, orderedDict, type Pickled, rebuiltTensor, storageOf, TensorView } from './torch-globals.ts';

/** A network with a thousand tensors and its optimizer take some 10^5 operations, and a tenth of that in containers. */
const MOST_OPERATIONS = 500_000;
const MOST_CONTAINERS = 100_000;

/** Only on the stack: the start of a sequence. */
const MARK = Symbol('mark');
type OnStack = Pickled | Global | typeof MARK;

/** The value of one pickle that starts at `start`, and the byte after it. @throws TorchFileError */
export function readPickle(bytes: Uint8Array, start = 0): { value: Pickled; end: number } {
  const machine = new Machine(bytes, start);
  return { value: machine.run(), end: machine.at };
}

class Machine {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: OnStack[] = [];
  readonly #memo = new Map<number, OnStack>();
  #containers = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = start;
  }

  run(): Pickled {
    for (let operations = 0; operations < MOST_OPERATIONS; operations++) {
      const code = this.#bytes[this.#take(1)];
      if (code === 0x2e) {
        const value = this.#popValue();
        if (this.#stack.length > 0) throw new TorchFileError('The pickle leaves more than one value behind.');
        return value;
      }
      this.#operate(code);
    }
    throw new TorchFileError(
      `The pickle has more than ${MOST_OPERATIONS} operations, far more than any network needs.`,
    );
  }

  #operate(code: number): void {
    const stack = this.#stack;
    const view = this.#view;
    switch (String.fromCharCode(code)) {
      case '\x80': // PROTO
        if (this.#byte() > 5) throw new TorchFileError('The pickle has a protocol after 5.');
        return;
      case '\x95': // FRAME
        this.#take(8);
        return;
      case '(':
        stack.push(MARK);
        return;
      case '0': // POP
        this.#pop();
        return;
      case '1': // POP_MARK
        this.#popToMark();
        return;
      case '2': // DUP
        stack.push(this.#top());
        return;
      case 'N':
        stack.push(null);
        return;
      case '\x88': // NEWTRUE
        stack.push(true);
        return;
      case '\x89': // NEWFALSE
        stack.push(false);
        return;
      case 'J': // BININT
        stack.push(view.getInt32(this.#take(4), true));
        return;
      case 'K': // BININT1
        stack.push(this.#byte());
        return;
      case 'M': // BININT2
        stack.push(view.getUint16(this.#take(2), true));
        return;
      case '\x8a': // LONG1
        stack.push(this.#long(this.#byte()));
        return;
      case 'G': // BINFLOAT
        stack.push(view.getFloat64(this.#take(8), false));
        return;
      case 'X': // BINUNICODE
        stack.push(this.#text(this.#length32()));
        return;
      case '\x8c': // SHORT_BINUNICODE
      case 'U': // SHORT_BINSTRING, as Python 2 wrote its names
        stack.push(this.#text(this.#byte()));
        return;
      case 'T': // BINSTRING
        stack.push(this.#text(this.#length32()));
        return;
      case '}': // EMPTY_DICT
        stack.push(this.#made(new Map()));
        return;
      case ']': // EMPTY_LIST
      case ')': // EMPTY_TUPLE
        stack.push(this.#made([]));
        return;
      case 't': // TUPLE
        stack.push(this.#made(this.#popToMark()));
        return;
      case '\x85': // TUPLE1 to TUPLE3
      case '\x86':
      case '\x87':
        stack.push(this.#made(this.#popMany(code - 0x84)));
        return;
      case 'a': {
        // APPEND
        const item = this.#popValue();
        this.#list().push(item);
        return;
      }
      case 'e': {
        // APPENDS
        const items = this.#popToMark();
        const list = this.#list();
        for (const item of items) list.push(item);
        return;
      }
      case 's': {
        // SETITEM
        const [key, value] = this.#popMany(2);
        this.#dict().set(key, value);
        return;
      }
      case 'u': {
        // SETITEMS
        const items = this.#popToMark();
        if (items.length % 2 === 1) throw new TorchFileError('The pickle sets a dict from an odd number of values.');
        const dict = this.#dict();
        for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
        return;
      }
      case 'q': // BINPUT
        this.#memo.set(this.#byte(), this.#top());
        return;
      case 'r': // LONG_BINPUT
        this.#memo.set(view.getUint32(this.#take(4), true), this.#top());
        return;
      case '\x94': // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 'h': // BINGET
        this.#recall(this.#byte());
        return;
      case 'j': // LONG_BINGET
        this.#recall(view.getUint32(this.#take(4), true));
        return;
      case 'c': // GLOBAL
        stack.push(allowed(`${this.#line()}.${this.#line()}`));
        return;
      case '\x93': {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        stack.push(allowed(`${told(module)}.${told(name)}`));
        return;
      }
      case 'Q': // BINPERSID
        stack.push(storageOf(this.#pop()));
        return;
      case 'R': // REDUCE
        this.#reduce();
        return;
      case 'b': // BUILD: the attributes of an OrderedDict are versions of modules, no tensor depends on them
        this.#popValue();
        this.#dict();
        return;
      default:
        throw new TorchFileError(
          `The pickle has operation 0x${code.toString(16)} at byte ${this.at - 1}, which weights do not need.`,
        );
    }
  }

  /** Makes what a listed global means; no code is found by name. */
  #reduce(): void {
    const parameters = this.#popValue();
    const callee = this.#pop();
    if (!(callee instanceof Global) || !Array.isArray(parameters)) {
      throw new TorchFileError('The pickle calls something that is not a global with a tuple.');
    }
    if (callee.name === 'torch._utils._rebuild_tensor_v2') this.#stack.push(rebuiltTensor(parameters));
    else if (callee.name === 'torch._utils._rebuild_parameter' && parameters[0] instanceof TensorView) {
      this.#stack.push(parameters[0]);
    } else if (callee.name === 'torch.Size' && Array.isArray(parameters[0])) this.#stack.push(parameters[0]);
    else if (callee.name === 'collections.OrderedDict') this.#stack.push(this.#made(orderedDict(parameters)));
    else throw new TorchFileError(`The pickle calls ${callee.name} with arguments that it does not take.`);
  }

  #made<T extends Pickled>(container: T): T {
    if (++this.#containers > MOST_CONTAINERS) {
      throw new TorchFileError(
        `The pickle makes more than ${MOST_CONTAINERS} containers, far more than any network needs.`,
      );
    }
    return container;
  }

  #recall(slot: number): void {
    const value = this.#memo.get(slot);
    if (value === undefined) throw new TorchFileError(`The pickle asks for memo ${slot}, which it has not set.`);
    this.#stack.push(value);
  }

  #top(): OnStack {
    const top = this.#stack.at(-1);
    if (top === undefined || top === MARK) throw new TorchFileError('The pickle takes a value where none is.');
    return top;
  }

  #pop(): OnStack {
    const top = this.#top();
    this.#stack.pop();
    return top;
  }

  #popValue(): Pickled {
    const value = this.#pop();
    if (value instanceof Global) throw new TorchFileError(`The pickle uses ${value.name} as a value.`);
    return value as Pickled;
  }

  /** A tuple may hold a Global, as that of a storage does; whoever reads it checks. */
  #popMany(count: number): Pickled[] {
    const values = Array.from({ length: count }, () => this.#pop() as Pickled);
    return values.reverse();
  }

  #popToMark(): Pickled[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new TorchFileError('The pickle ends a sequence that it has not begun.');
    const values = this.#stack.splice(mark);
    values.shift();
    return values as Pickled[];
  }

  #list(): Pickled[] {
    const top = this.#top();
    if (!Array.isArray(top)) throw new TorchFileError('The pickle appends to something that is not a list.');
    return top;
  }

  #dict(): Map<Pickled, Pickled> {
    const top = this.#top();
    if (!(top instanceof Map)) throw new TorchFileError('The pickle gives entries to something that is not a dict.');
    return top;
  }

  #take(count: number): number {
    const { at } = this;
    if (count > this.#bytes.length - at) {
      throw new TorchFileError(
        `The pickle wants ${count} bytes at byte ${at}, the file has ${this.#bytes.length - at}.`,
      );
    }
    this.at += count;
    return at;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)];
  }

  #length32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #text(length: number): string {
    const start = this.#take(length);
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw new TorchFileError(`The pickle has a string that is not UTF-8 at byte ${start}.`);
    }
  }

  /** Up to a line feed, which no name of Python's is longer than. */
  #line(): string {
    const end = this.#bytes.subarray(this.at, this.at + 256).indexOf(0x0a);
    if (end < 0) throw new TorchFileError(`The pickle has a name without an end at byte ${this.at}.`);
    const line = this.#text(end);
    this.#take(1);
    return line;
  }

  /** Two's complement, little-endian; a number where float64 holds it. */
  #long(length: number): number | bigint {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}

const told = (value: unknown) => (typeof value === 'string' ? value : typeof value);
