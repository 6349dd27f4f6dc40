/**
 * Python's pickle as torch.save writes it, read as data: a stack machine that knows tensors, OrderedDict and plain containers.
 *
 * Nothing can be called. A global is looked up in a list of names when it is read, not when it is used, and REDUCE knows only what the list
 * means; objects that are no weights (torch-inert.ts) become inert values.
 * Time and memory are bounded by the number of operations; lengths are compared with the bytes that are there.
 * Source: CPython, Lib/pickletools.py; torch/_utils.py `_rebuild_tensor_v2`.
 */
import { TorchFileError } from './torch-error.ts';
import { allowed, called, dictOf, Global, type Pickled, storageOf, TensorView } from './torch-globals.ts';
import { Inert, isDict, isInert } from './torch-inert.ts';
import { PickleBytes } from './torch-pickle-bytes.ts';

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
  readonly #input: PickleBytes;
  readonly #stack: OnStack[] = [];
  readonly #memo = new Map<number, OnStack>();
  #containers = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#input = new PickleBytes(bytes, start);
  }

  get at(): number {
    return this.#input.at;
  }

  run(): Pickled {
    for (let operations = 0; operations < MOST_OPERATIONS; operations++) {
      const code = this.#input.byte();
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
    const { view } = this.#input;
    switch (String.fromCharCode(code)) {
      case '\x80': // PROTO
        if (this.#input.byte() > 5) throw new TorchFileError('The pickle has a protocol after 5.');
        return;
      case '\x95': // FRAME
        this.#input.take(8);
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
        stack.push(view.getInt32(this.#input.take(4), true));
        return;
      case 'K': // BININT1
        stack.push(this.#input.byte());
        return;
      case 'M': // BININT2
        stack.push(view.getUint16(this.#input.take(2), true));
        return;
      case '\x8a': // LONG1
        stack.push(this.#input.long(this.#input.byte()));
        return;
      case 'G': // BINFLOAT
        stack.push(view.getFloat64(this.#input.take(8), false));
        return;
      case 'X': // BINUNICODE
        stack.push(this.#input.text(this.#input.length32()));
        return;
      case '\x8c': // SHORT_BINUNICODE
      case 'U': // SHORT_BINSTRING, as Python 2 wrote its names
        stack.push(this.#input.text(this.#input.byte()));
        return;
      case 'T': // BINSTRING
        stack.push(this.#input.text(this.#input.length32()));
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
        this.#pairs(items, this.#dict());
        return;
      }
      case 'q': // BINPUT
        this.#memo.set(this.#input.byte(), this.#top());
        return;
      case 'r': // LONG_BINPUT
        this.#memo.set(view.getUint32(this.#input.take(4), true), this.#top());
        return;
      case '\x94': // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 'h': // BINGET
        this.#recall(this.#input.byte());
        return;
      case 'j': // LONG_BINGET
        this.#recall(view.getUint32(this.#input.take(4), true));
        return;
      case 'c': // GLOBAL
        stack.push(allowed(`${this.#input.line()}.${this.#input.line()}`));
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
      case 'b': {
        // BUILD: the attributes of an OrderedDict are versions of modules, those of other objects nobody reads; no tensor depends on them
        this.#popValue();
        const built = this.#top();
        if (!(built instanceof Map || built instanceof Inert || built instanceof TensorView))
          throw new TorchFileError('The pickle gives attributes to something that has none.');
        return;
      }
      case '\x81': // NEWOBJ
      case '\x92': {
        // NEWOBJ_EX
        if (code === 0x92) this.#popValue();
        this.#reduce();
        return;
      }
      case '\x8f': // EMPTY_SET
        stack.push(this.#made(new Inert('builtins.set')));
        return;
      case '\x90': // ADDITEMS
        this.#popToMark();
        if (!(this.#top() instanceof Inert))
          throw new TorchFileError('The pickle adds to something that is not a set.');
        return;
      case '\x91': // FROZENSET
        this.#popToMark();
        stack.push(this.#made(new Inert('builtins.frozenset')));
        return;
      case 'C': // SHORT_BINBYTES
        this.#input.take(this.#input.byte());
        stack.push(new Inert('builtins.bytes'));
        return;
      case 'B': // BINBYTES
        this.#input.take(this.#input.length32());
        stack.push(new Inert('builtins.bytes'));
        return;
      case '\x8e': // BINBYTES8
      case '\x96': // BYTEARRAY8
        this.#input.take(this.#input.length64());
        stack.push(new Inert('builtins.bytes'));
        return;
      case '\x8d': // BINUNICODE8
        stack.push(this.#input.text(this.#input.length64()));
        return;
      case '\x8b': // LONG4
        stack.push(this.#input.long(this.#input.length32()));
        return;
      case 'l': // LIST
        stack.push(this.#made(this.#popToMark()));
        return;
      case 'd': // DICT
        stack.push(this.#made(this.#pairs(this.#popToMark(), new Map())));
        return;
      case 'p': // PUT
        this.#memo.set(Number(this.#input.line()), this.#top());
        return;
      case 'g': // GET
        this.#recall(Number(this.#input.line()));
        return;
      case 'I': // INT, and the booleans of protocol 0
      case 'L': // LONG
      case 'F': // FLOAT
        stack.push(this.#input.number(this.#input.line()));
        return;
      case 'V': // UNICODE
      case 'S': // STRING
        stack.push(this.#input.line());
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
    if (isDict(callee.name)) this.#stack.push(this.#made(dictOf(parameters)));
    else if (isInert(callee.name)) this.#stack.push(this.#made(new Inert(callee.name)));
    else {
      const value = called(callee.name, parameters);
      if (value === null)
        throw new TorchFileError(`The pickle calls ${callee.name} with arguments that it does not take.`);
      this.#stack.push(value);
    }
  }

  #pairs(items: readonly Pickled[], dict: Map<Pickled, Pickled>): Map<Pickled, Pickled> {
    if (items.length % 2 === 1) throw new TorchFileError('The pickle sets a dict from an odd number of values.');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    return dict;
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
    if (value instanceof Global) {
      if (isInert(value.name)) return new Inert(value.name); // a type, such as what a defaultdict makes
      throw new TorchFileError(`The pickle uses ${value.name} as a value.`);
    }
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
    if (top instanceof Inert) return []; // a deque or the like: nobody reads what it holds
    if (!Array.isArray(top)) throw new TorchFileError('The pickle appends to something that is not a list.');
    return top;
  }

  #dict(): Map<Pickled, Pickled> {
    const top = this.#top();
    if (top instanceof Inert) return new Map();
    if (!(top instanceof Map)) throw new TorchFileError('The pickle gives entries to something that is not a dict.');
    return top;
  }
}

const told = (value: unknown) => (typeof value === 'string' ? value : typeof value);
