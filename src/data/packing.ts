/** Refuses a compressed film of more pixels than its bytes can hold, before memory is taken on the word of a header. */
export function checkPacking(name: string, pixels: number, bytes: number, most: number): void {
  if (pixels > bytes * most)
    throw new Error(
      `${name}: the film says it has ${pixels} pixels, its ${bytes} bytes hold fewer; copy the file again.`,
    );
}
