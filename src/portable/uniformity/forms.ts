/**
 * What is known of a value across the four invocations of a subgroup.
 *
 * 'constant': known to the compiler. 'uniform': the same for all four. 'linear': an integer that is one more for each next invocation.
 * 'varying': anything. Code generation starts from the assumption that every variable is uniform and that nothing diverges; where that proves
 * wrong it is noted here, and code is generated anew until a pass notes nothing. Notes only ever weaken an assumption, so that ends.
 */
export type Form = 'constant' | 'uniform' | 'linear' | 'varying';
export type VariableForm = Exclude<Form, 'constant'>;

const RANKS: readonly VariableForm[] = ['uniform', 'linear', 'varying'];

export class Forms {
  private readonly ranks = new Map<string, number>();
  private readonly facts = new Set<string>();
  /** Whether this pass has weakened an assumption. */
  changed = false;

  of(variable: string): VariableForm {
    return RANKS[this.ranks.get(variable) ?? 0];
  }

  /** The variable holds more than `form` allows. */
  weaken(variable: string, form: VariableForm): void {
    const rank = RANKS.indexOf(form);
    if (rank <= (this.ranks.get(variable) ?? 0)) return;
    this.ranks.set(variable, rank);
    this.changed = true;
  }

  /** Something else that holds of a place in the program, such as that lanes leave a loop at different times. */
  has(fact: string): boolean {
    return this.facts.has(fact);
  }

  note(fact: string): void {
    if (this.facts.has(fact)) return;
    this.facts.add(fact);
    this.changed = true;
  }
}
