/** Which products of subgroup matrices a device offers that the kernels here can use. */
import type { MatrixConfig } from '../shaders/matrix-product.ts';

/** An experiment of Dawn and Chromium: Node gets it by a toggle (platform/dawn.ts), a browser by a flag. */
export const MATRICES = 'chromium-experimental-subgroup-matrix';
const SIZE_CONTROL = 'subgroup-size-control';
/** What a device is asked for where the adapter has subgroup matrices. */
export const MATRIX_FEATURES: readonly string[] = [MATRICES, SIZE_CONTROL];

/** What an adapter tells of itself, where it has the feature. */
interface Offered {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}
type Info = Partial<GPUAdapterInfo> & { readonly subgroupMatrixConfigs?: readonly Offered[] };

/** The usual size of a subgroup, asked for where there are several. */
const USUAL_LANES = 32;

/** Products of float32 or float16 that are summed in float32, the largest first. None where the size of a subgroup cannot be told beforehand. */
export function matrixConfigs(features: ReadonlySet<string>, info: Info): MatrixConfig[] {
  const { subgroupMinSize: least = 0, subgroupMaxSize: most = 0, subgroupMatrixConfigs: offered = [] } = info;
  if (!features.has(MATRICES) || !features.has('subgroups')) return [];
  const sized = least !== most;
  const lanes = sized ? USUAL_LANES : least;
  if (sized && !(features.has(SIZE_CONTROL) && least <= lanes && lanes <= most)) return [];
  const configs: MatrixConfig[] = [];
  for (const { componentType: type, resultComponentType, M, N, K } of offered) {
    if (resultComponentType !== 'f32' || (type !== 'f32' && type !== 'f16')) continue;
    if (type === 'f16' && !features.has('shader-f16')) continue;
    const same = (known: MatrixConfig) => known.type === type && known.M === M && known.N === N && known.K === K;
    if (!configs.some(same)) configs.push({ type, M, N, K, lanes, sized });
  }
  return configs.sort((one, other) => other.M * other.N * other.K - one.M * one.N * one.K);
}
