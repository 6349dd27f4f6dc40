/**
 * How a kernel reaches a tensor that is not bound as the shader declares it. Kernels are written for one binding a tensor; where a tensor is
 * larger than a device binds at once, dispatch() asks here for the same kernel over several bindings:
 *
 *     var<storage, read> input : array<f32>;        var<storage, read> input_0 : array<f32>;  var<storage, read> input_1 : ...
 *     x = input[i];                            ->   x = input_read(i);                        // which knows where each begins
 *     output[i] = x;                                output_write(i, x);
 *
 * The arithmetic and its order stay as they are, so the bits do. A tensor of half precision (f16) is reached the same way: its elements become
 * float32 as they are read and are rounded as they are written, and the kernel between computes in float32 as ever. A shader that takes the address of an element, or assigns to a part of one,
 * cannot be laid out anew, and says so.
 */
import type { Bindable, Kernel } from './kernel.ts';

/** Bindings that one tensor is spread over, and whether its elements are float16. */
export interface Layout {
  readonly pieces: number;
  readonly half?: boolean;
}

const described = (layouts: ReadonlyMap<string, Layout>) =>
  [...layouts].map(([role, { pieces, half }]) => `${role} ${pieces}${half ? ' f16' : ''}`).join('|');

const mib = (bytes: number) => `${(bytes / 2 ** 20).toPrecision(3)} MiB`;

/** The layouts that one device needs. */
export class Layouts {
  private readonly limits: GPUSupportedLimits;
  /** Bytes. */
  readonly largestBinding: number;
  private readonly made = new Map<string, Kernel>();

  constructor({ limits }: GPUDevice, largestBinding: number) {
    this.limits = limits;
    // A multiple of 256: where a piece of a buffer may begin, on every device.
    this.largestBinding = Math.max(
      256,
      Math.floor(Math.min(limits.maxStorageBufferBindingSize, largestBinding) / 256) * 256,
    );
  }

  /** How many bindings these tensors take. */
  bindingsOf(tensors: readonly Bindable[]): number {
    return tensors.reduce(
      (total, { byteLength }) => total + Math.max(1, Math.ceil(byteLength / this.largestBinding)),
      0,
    );
  }

  /** The kernel that reaches these tensors, and its bindings. The kernel itself where each is float32 and fits one binding. */
  of(kernel: Kernel, tensors: Readonly<Record<string, Bindable>>): [Kernel, Record<string, Bindable>] {
    const layouts = new Map<string, Layout>();
    const bindings: Record<string, Bindable> = {};
    const { largestBinding } = this;
    for (const [role, { storage, byteLength, name, type }] of Object.entries(tensors)) {
      const half = type === 'f16';
      if (byteLength <= largestBinding && !half) {
        bindings[role] = { storage, byteLength, name };
        continue;
      }
      const pieces = Math.ceil(byteLength / largestBinding);
      layouts.set(role, { pieces, half });
      for (let piece = 0; piece < pieces; piece++) {
        const byteOffset = piece * largestBinding;
        const rest = Math.min(largestBinding, byteLength - byteOffset);
        bindings[`${role}_${piece}`] = { storage, byteOffset, byteLength: rest, name };
      }
    }
    if (layouts.size === 0) return [kernel, bindings];
    const needed = Object.keys(bindings).length;
    const allowed = this.limits.maxStorageBuffersPerShaderStage;
    if (needed > allowed) {
      const large = [...layouts.keys()].map((role) => `${role} of ${mib(tensors[role].byteLength)}`).join(', ');
      throw new Error(
        `${kernel.name}: ${large} need ${needed} bindings of ${mib(largestBinding)} with what else it reads, and this device has ${allowed} at most; use a smaller batch or image, or an adapter with larger bindings (mtunet devices).`,
      );
    }
    const key = `${kernel.key}|${described(layouts)}`;
    let made = this.made.get(key);
    if (!made) {
      made = laidOut(kernel, layouts, largestBinding);
      this.made.set(key, made);
    }
    return [made, bindings];
  }
}

/** Bytes of each declared element, and what holds the same numbers in half the bytes. */
const ELEMENTS: Readonly<Record<string, { readonly bytes: number; readonly half?: string }>> = {
  f32: { bytes: 4, half: 'f16' },
  vec2f: { bytes: 8, half: 'vec2h' },
  vec4f: { bytes: 16, half: 'vec4h' },
  u32: { bytes: 4 },
  i32: { bytes: 4 },
};

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:\s*array<(\w+)>;/g;

/** The kernel with each role of `layouts` spread over bindings `role_0`, `role_1`, ... of `pieceBytes`, but for the last. */
export function laidOut(kernel: Kernel, layouts: ReadonlyMap<string, Layout>, pieceBytes: number): Kernel {
  const plain = kernel.code.replace(/\/\/.*$/gm, '');
  let next = Math.max(...[...plain.matchAll(/@binding\((\d+)\)/g)].map(([, number]) => Number(number))) + 1;
  const functions: string[] = [];
  let code = plain;
  for (const role of layouts.keys()) code = rewritten(code, role, kernel.name);
  code = code.replace(DECLARATION, (declaration, number: string, access: string, role: string, element: string) => {
    const layout = layouts.get(role);
    if (!layout) return declaration;
    const type = new RegExp(`\\balias ${element}\\s*=\\s*(\\w+)`).exec(plain)?.[1] ?? element;
    const { bytes = 0, half } = ELEMENTS[type] ?? {};
    const stored = layout.half ? half : element;
    if (!bytes || !stored)
      throw new Error(`${kernel.name}: ${role} holds elements of type ${type}, which cannot be laid out.`);
    const length = pieceBytes / (layout.half ? bytes / 2 : bytes);
    functions.push(...accessors(role, element, stored, access === 'read_write', layout.pieces, length));
    return Array.from({ length: layout.pieces }, (_, piece) => {
      const place = piece === 0 ? number : next++;
      return `@group(0) @binding(${place}) var<storage, ${access}> ${role}_${piece} : array<${stored}>;`;
    }).join('\n');
  });
  const enable = [...layouts.values()].some(({ half }) => half) ? ['enable f16;'] : [];
  const key = `${kernel.key}|${described(layouts)} of ${pieceBytes}`;
  return { ...kernel, code: [...enable, code, ...functions].join('\n'), key };
}

/** Reads element i, and writes it, wherever it is. */
function accessors(
  role: string,
  element: string,
  stored: string,
  writes: boolean,
  pieces: number,
  length: number,
): string[] {
  const as = (type: string, value: string) => (stored === element ? value : `${type}(${value})`);
  const chosen = (line: (piece: string, index: string) => string) =>
    Array.from({ length: pieces }, (_, piece) => {
      const access = line(`${role}_${piece}`, piece === 0 ? 'i' : `i - ${piece * length}u`);
      return piece < pieces - 1 ? `if (i < ${(piece + 1) * length}u) { ${access} }` : access;
    }).join('\n  ');
  const read = `fn ${role}_read(i : u32) -> ${element} {\n  ${chosen((piece, at) => `return ${as(element, `${piece}[${at}]`)};`)}\n}`;
  if (!writes) return [read];
  const write = chosen((piece, at) => `${piece}[${at}] = ${as(stored, 'value')}; return;`);
  return [read, `fn ${role}_write(i : u32, value : ${element}) {\n  ${write}\n}`];
}

/** Every `role[index]` of the text as a call of role_read or role_write. */
function rewritten(text: string, role: string, name: string): string {
  const access = new RegExp(`(?<![\\w.])${role}\\s*\\[`, 'g');
  let result = '';
  let at = 0;
  for (let found = access.exec(text); found; found = access.exec(text)) {
    const open = access.lastIndex - 1;
    const close = matching(text, open);
    const index = `u32(${rewritten(text.slice(open + 1, close), role, name)})`;
    const rest = text.slice(close + 1);
    if (/&\s*$/.test(text.slice(0, found.index)) || /^\s*(\.\w+|\[[^\]]*\])\s*[-+*/]?=(?!=)/.test(rest))
      throw new Error(`${name}: ${role} is too large for one binding, and the shader needs its elements in place.`);
    result += text.slice(at, found.index);
    const [assignment, operator] = /^\s*([-+*/]?)=(?!=)/.exec(rest) ?? [];
    if (assignment === undefined) {
      result += `${role}_read(${index})`;
      at = close + 1;
    } else {
      const end = text.indexOf(';', close);
      const value = rewritten(text.slice(close + 1 + assignment.length, end), role, name);
      result += `${role}_write(${index}, ${operator ? `${role}_read(${index}) ${operator} (${value})` : value})`;
      at = end;
    }
    access.lastIndex = at;
  }
  return result + text.slice(at);
}

/** Where the bracket that opens at `open` closes. */
function matching(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return i;
  }
  throw new Error(`a bracket is not closed: ${text.slice(open, open + 40)}`);
}
