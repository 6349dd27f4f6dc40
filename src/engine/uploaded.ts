/** Integers that the host uploaded, and who checks them: now, and each time that a recorded step uploads others. */
export class UploadedIntegers {
  private latest = new Uint32Array(0);
  private readonly checks: ((values: Uint32Array) => void)[] = [];

  fill(values: Uint32Array): void {
    for (const check of this.checks) check(values);
    this.latest = values as Uint32Array<ArrayBuffer>;
  }

  inspect(check: (values: Uint32Array) => void): void {
    check(this.latest);
    this.checks.push(check);
  }
}
