/** A PyTorch file that is damaged, hostile, or not one. The message is one sentence. */
export class TorchFileError extends Error {
  override readonly name = 'TorchFileError';
}

/** A name as an error may show it: quoted, and never longer than a line. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}
