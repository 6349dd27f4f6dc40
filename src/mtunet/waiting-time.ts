/** How long a loop over batches waited for them, beside how long it worked on them. */
export class WaitingTime {
  /** Seconds. */
  waited = 0;
  worked = 0;

  async *timed<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let mark = performance.now();
    for await (const value of source) {
      this.waited += (performance.now() - mark) / 1000;
      mark = performance.now();
      yield value;
      this.worked += (performance.now() - mark) / 1000;
      mark = performance.now();
    }
  }

  get sentence(): string {
    const share = (100 * this.waited) / (this.waited + this.worked || 1);
    return `waited for data ${this.waited.toFixed(2)} s, ${share.toFixed(2)} % of the steps' time`;
  }
}
