/**
 * Which of several kernels computes a piece of work. What a run has pinned wins over the fixed rule of the operation; what was used is
 * kept, so that the run can be done again with the same kernels and to the same bits.
 */
export class KernelChoices {
  private readonly pinned = new Map<string, string>();
  private readonly taken = new Map<string, string>();
  /** Taken wherever it can compute the work: for tests and benchmarks. */
  everywhere: string | null = null;
  /** When set, is told of every piece of work, with what the operation knows about it. */
  onWork: ((name: string, work: object) => void) | null = null;

  /** From here on these kernels, by the name of the work, and a new record of what is used. */
  pin(choices: Readonly<Record<string, string>>): void {
    this.pinned.clear();
    this.taken.clear();
    for (const [name, kernel] of Object.entries(choices)) this.pinned.set(name, kernel);
  }

  /** From here on what `others` would take, and a new record of what is used. */
  follow({ pinned, everywhere }: KernelChoices): void {
    this.pin(Object.fromEntries(pinned));
    this.everywhere = everywhere;
  }

  /** What was taken since the last pin(), sorted by the name of the work. */
  get used(): Record<string, string> {
    return Object.fromEntries([...this.taken].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The wanted kernel for `work` where it is among those that `can` compute it, else what the rule says. */
  take<Kernel extends string>(
    name: string,
    work: object,
    can: (kernel: string) => kernel is Kernel,
    rule: () => Kernel,
  ): Kernel {
    this.onWork?.(name, work);
    const wanted = this.everywhere ?? this.pinned.get(name);
    const taken = wanted !== undefined && can(wanted) ? wanted : rule();
    this.taken.set(name, taken);
    return taken;
  }
}
