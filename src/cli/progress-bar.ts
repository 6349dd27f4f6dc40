/** A share of a known whole: one line that is redrawn on a terminal, nothing elsewhere. */
const BAR = 30;

export class ProgressBar {
  private readonly stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
  }

  /** `share` is 0 to 1. */
  draw(share: number, what: string): void {
    if (!this.stream.isTTY) return;
    const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.');
    const text = `[${bar}] ${String(Math.round(100 * share)).padStart(3)} %  ${what}`;
    this.stream.write(`\r\u001b[K${text.slice(0, (this.stream.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001b[K');
  }
}
