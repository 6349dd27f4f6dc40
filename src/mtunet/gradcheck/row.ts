/** One checked statement: the same derivative three ways, and how far they are apart. */

export interface CheckRow {
  readonly group: 'paper' | 'operation' | 'network';
  readonly name: string;
  /** What is checked, as a formula or a sentence. */
  readonly statement: string;
  /** The closed form, float64; null where there is none. */
  readonly analytic: number | null;
  /** Central differences of the float64 function; null where none is needed. */
  readonly difference: number | null;
  /** Reverse mode on the device, float32; null for a statement about numbers alone. */
  readonly autograd: number | null;
  /** Largest distance between any two of them, as a share of `scale`. */
  readonly error: number;
  readonly tolerance: number;
  /** What the error is measured in. */
  readonly scale: number;
  /** Samples of which this is the worst. */
  readonly samples: number;
  readonly verdict: 'pass' | 'fail';
}

export interface Sample {
  readonly analytic?: number;
  readonly difference?: number;
  readonly autograd?: number;
  /** The size that an error is compared with; by default 1 or the largest value, whichever is more. */
  readonly scale?: number;
  /** Another condition, such as f' > 0. */
  readonly holds?: boolean;
}

export interface Statement {
  readonly group: CheckRow['group'];
  readonly name: string;
  readonly statement: string;
  readonly tolerance: number;
}

/** The worst of the samples. */
export function rowOf(what: Statement, samples: readonly Sample[]): CheckRow {
  if (samples.length === 0) throw new Error(`gradcheck: ${what.name} was given no samples.`);
  const measured = samples.map((sample) => {
    const values = [sample.analytic, sample.difference, sample.autograd].filter((value) => value !== undefined);
    const scale = sample.scale ?? Math.max(1, ...values.map(Math.abs));
    const spread = (Math.max(...values) - Math.min(...values)) / scale;
    return { ...sample, scale, error: Number.isFinite(spread) ? spread : Number.POSITIVE_INFINITY };
  });
  const worst = measured.reduce((a, b) => (b.holds === false || (a.holds !== false && b.error > a.error) ? b : a));
  return {
    ...what,
    analytic: worst.analytic ?? null,
    difference: worst.difference ?? null,
    autograd: worst.autograd ?? null,
    error: worst.error,
    scale: worst.scale,
    samples: samples.length,
    verdict: worst.error <= what.tolerance && worst.holds !== false ? 'pass' : 'fail',
  };
}

/** Fourth-order central difference: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h. */
export function slopeAt0(f: (t: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}
