/**
 * A picture for a screen or a file: 8-bit RGBA, row-major.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** height x width x 4 */
  readonly pixels: Uint8Array;
}
