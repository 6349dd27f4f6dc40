/** How long a loop over batches waited for them, beside how long it worked on them. */
export class WaitingTime {
  /** Seconds: for the first batch of each pass over a split, for the others, and between them. */
  first = 0;
  waited = 0;
  worked = 0;
  passes = 0;

  async *timed<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let mark = performance.now();
    const lap = () => {
      const now = performance.now();
      const seconds = (now - mark) / 1000;
      mark = now;
      return seconds;
    };
    let isFirst = true;
    this.passes++;
    for await (const value of source) {
      if (isFirst) this.first += lap();
      else this.waited += lap();
      isFirst = false;
      yield value;
      this.worked += lap();
    }
  }

  get sentence(): string {
    const all = this.first + this.waited + this.worked || 1;
    const share = (seconds: number) => `${seconds.toFixed(2)} s, ${((100 * seconds) / all).toFixed(2)} %`;
    return `waited for data: ${share(this.waited)} between steps; ${share(this.first)} for the first batch of ${this.passes} passes`;
  }
}
