/**
 * Which of several kernels computes a piece of work. What a run has pinned wins over the fixed rule of the operation; what was used is
 * kept, so that the run can be done again with the same kernels and to the same bits.
 */
export class KernelChoices {
  /** Kernel by class of work; see layerClass(). */
  readonly pinned = new Map<string, string>();
  /** What was taken since the last pin(), by class of work. */
  readonly used = new Map<string, string>();
  /** Taken wherever it can compute the work: for tests and benchmarks. */
  everywhere: string | null = null;

  pin(choices: Readonly<Record<string, string>>): void {
    this.pinned.clear();
    this.used.clear();
    for (const [work, kernel] of Object.entries(choices)) this.pinned.set(work, kernel);
  }

  /** The wanted kernel for `work` where it is among those that `can` compute it, else what the rule says. */
  take<Name extends string>(work: string, can: (name: string) => name is Name, rule: () => Name): Name {
    const wanted = [this.everywhere, this.pinned.get(work)].find((name) => name != null && can(name)) as
      | Name
      | undefined;
    const taken = wanted ?? rule();
    this.used.set(work, taken);
    return taken;
  }
}
