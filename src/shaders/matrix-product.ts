/**
 * Products of small matrices that the lanes of a subgroup hold together, as text for a kernel: M x N += M x K times K x N.
 *
 * A kernel keeps its operands in workgroup memory and names what this file's text reads and writes:
 *
 *     var<workgroup> a : array<Element, ...>;      // left operands
 *     var<workgroup> b : array<Element, ...>;      // right operands
 *     var<workgroup> results : array<f32, ...>;    // what store() writes
 *
 * There are two of them: WGSL's subgroup matrices, which few GPUs offer, and plain arithmetic in which a lane holds its share of a result. The
 * second computes on every adapter what the first does, up to rounding, so that a kernel can be tested where there are no subgroup matrices.
 */

/** Sizes of a product that a device offers. Results are float32. */
export interface MatrixConfig {
  /** Of the operands. */
  readonly type: 'f32' | 'f16';
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Lanes of a subgroup. */
  readonly lanes: number;
  /** Whether the device has subgroups of several sizes, so that a kernel must ask for this one. */
  readonly sized: boolean;
}

export interface MatrixProduct extends MatrixConfig {
  /** Language extensions. */
  readonly enable: readonly string[];
  /** Element (of workgroup memory), Result, and what else is called. */
  readonly declarations: string;
  /** Attributes and parameters of the entry point, whose local_invocation_index is `local`. */
  readonly attributes: string;
  readonly parameters: string;
  /** Statements after which `subgroup` and `lane` number the subgroups of a workgroup and the lanes of a subgroup. */
  readonly begin: string;
  /** A float32 as an Element. */
  element(value: string): string;
  /** M x K of `a` from `at` on, a column (M elements) every `stride` elements. */
  left(at: string, stride: number): string;
  /** K x N of `b` from `at` on, a row (N elements) every `stride` elements. */
  right(at: string, stride: number): string;
  multiplyAccumulate(left: string, right: string, sum: string): string;
  /** A statement that writes M x N to `results` from `at` on, row by row without gaps. */
  store(at: string, value: string): string;
}

/** By WGSL's subgroup matrices, an experiment of Dawn and Chromium. Type parameters are columns, then rows. */
export function subgroupMatrices(config: MatrixConfig): MatrixProduct {
  const { type, M, N, K, lanes, sized } = config;
  return {
    ...config,
    enable: [
      'chromium_experimental_subgroup_matrix',
      'subgroups',
      ...(type === 'f16' ? ['f16'] : []),
      ...(sized ? ['subgroup_size_control'] : []),
    ],
    declarations: `
alias Element = ${type};
alias Left = subgroup_matrix_left<${type}, ${K}, ${M}>;
alias Right = subgroup_matrix_right<${type}, ${N}, ${K}>;
alias Result = subgroup_matrix_result<f32, ${N}, ${M}>;`,
    attributes: sized ? `@subgroup_size(${lanes})` : '',
    parameters: '@builtin(subgroup_id) subgroup : u32, @builtin(subgroup_invocation_id) lane : u32,',
    begin: '',
    element: (value) => (type === 'f16' ? `f16(${value})` : value),
    left: (at, stride) => `subgroupMatrixLoad<Left, col_major>(&a, ${at}, ${stride}u)`,
    right: (at, stride) => `subgroupMatrixLoad<Right, row_major>(&b, ${at}, ${stride}u)`,
    multiplyAccumulate: (left, right, sum) => `subgroupMatrixMultiplyAccumulate(${left}, ${right}, ${sum})`,
    store: (at, value) => `subgroupMatrixStore<row_major>(&results, ${at}, ${value}, ${N}u);`,
  };
}

/**
 * By plain arithmetic, for tests. Subgroups are runs of `lanes` threads, whatever those of the adapter are. `half`: whether shader-f16 is on;
 * without it, float16 operands are float32 that have been rounded to float16.
 */
export function portableMatrices(config: MatrixConfig, half: boolean): MatrixProduct {
  const { type, M, N, K, lanes } = config;
  const share = (M * N) / lanes;
  return {
    ...config,
    enable: type === 'f16' && half ? ['f16'] : [],
    declarations: `
alias Element = ${half ? type : 'f32'};
alias Result = array<f32, ${share}>; // elements lane, lane + ${lanes}, ... of a matrix, row by row
struct Operand { at : u32, stride : u32 }
fn multiplyAccumulate(left : Operand, right : Operand, sum : Result, lane : u32) -> Result {
  var result = sum;
  let none = lane / ${lanes}u; // no constant, lest a driver unroll the loops and compile for seconds
  for (var i = 0u; i < ${share}u + none; i++) {
    let element = lane + i * ${lanes}u;
    var total = result[i];
    for (var k = 0u; k < ${K}u + none; k++) {
      total = fma(f32(a[left.at + k * left.stride + element / ${N}u]), f32(b[right.at + k * right.stride + element % ${N}u]), total);
    }
    result[i] = total;
  }
  return result;
}
fn storeResult(at : u32, value : Result, lane : u32) {
  var result = value;
  for (var i = 0u; i < ${share}u; i++) {
    results[at + lane + i * ${lanes}u] = result[i];
  }
}`,
    attributes: '',
    parameters: '',
    begin: `let subgroup = local / ${lanes}u; let lane = local % ${lanes}u;`,
    element: (value) => (type === 'f32' ? value : half ? `f16(${value})` : `quantizeToF16(${value})`),
    left: (at, stride) => `Operand(${at}, ${stride}u)`,
    right: (at, stride) => `Operand(${at}, ${stride}u)`,
    multiplyAccumulate: (left, right, sum) => `multiplyAccumulate(${left}, ${right}, ${sum}, lane)`,
    store: (at, value) => `storeResult(${at}, ${value}, lane);`,
  };
}
