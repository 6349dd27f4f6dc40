/** WebGPU's errors and error scopes. */
export class PortableError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}
class GPUValidationError extends PortableError {}
class GPUOutOfMemoryError extends PortableError {}
class GPUInternalError extends PortableError {}

const KINDS = {
  validation: GPUValidationError,
  'out-of-memory': GPUOutOfMemoryError,
  internal: GPUInternalError,
} as const;
export type ErrorKind = keyof typeof KINDS;

export class Scopes {
  private readonly open: { readonly kind: ErrorKind; error: PortableError | null }[] = [];
  private readonly uncaptured: (error: PortableError) => void;

  constructor(uncaptured: (error: PortableError) => void) {
    this.uncaptured = uncaptured;
  }

  push(kind: ErrorKind): void {
    this.open.push({ kind, error: null });
  }

  pop(): PortableError | null {
    const scope = this.open.pop();
    if (!scope) throw new DOMException('there is no error scope', 'OperationError');
    return scope.error;
  }

  /** The innermost scope of its kind keeps the first; what no scope wants is for everyone. */
  report(kind: ErrorKind, message: string): void {
    const error = new KINDS[kind](message);
    const scope = this.open.findLast((one) => one.kind === kind);
    if (!scope) this.uncaptured(error);
    else scope.error ??= error;
  }
}
