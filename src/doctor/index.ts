/**
 * The check of a machine: is what this adapter computes right, and how fast is it? The same for the command line (`mtunet doctor`) and the
 * page ("Check this machine").
 */
import { checkDerivations } from './derivations.ts';
import { checkFamilies } from './families.ts';
import { checkSizes } from './limits.ts';
import { checkOperations } from './operations.ts';
import { type MachineReport, summaryOf } from './report.ts';
import { type DoctorOptions, type Part, Session } from './session.ts';
import { checkSpecialValues } from './special-values.ts';
import { measureSpeed } from './speed.ts';
import { checkDeviceLoss, checkTraining } from './training.ts';

export { compareReports, type MachineReport } from './report.ts';
export type { DoctorOptions } from './session.ts';

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Checks everything, then measures speeds; see DoctorOptions for the time that it takes. Rejects where no device can be had. */
export async function checkMachine(options: DoctorOptions): Promise<MachineReport> {
  const session = await Session.open(options);
  try {
    const { description, features, limits, subgroupLanes } = session.gpu;
    const { name, driver, backend, software } = description;
    const presets = options.presets ?? ['tiny', 'small', 'paper'];
    const wanted = (part: Part) => options.parts?.includes(part) ?? true;
    if (wanted('operations')) await checkOperations(session, 'small', [0, 0.25]);
    if (wanted('special values')) await checkSpecialValues(session, 0.25);
    if (wanted('training')) await checkTraining(session, 0.28);
    if (wanted('derivations')) await checkDerivations(session, 0.33);
    if (wanted('families')) await checkFamilies(session, [0.38, 0.55]);
    if (wanted('operations')) await checkOperations(session, 'large', [0.55, 0.7]);
    if (wanted('sizes')) await checkSizes(session, [0.7, 0.75]);
    if (wanted('device loss')) await checkDeviceLoss(session, 0.75);
    const speed = wanted('speed') ? await measureSpeed(session, [0.8, 1], presets) : [];
    await session.progress(1, 'done');
    return {
      format: 'mtunet doctor 1',
      package: options.version,
      runtime: options.runtime,
      adapter: {
        ...{ name, driver, backend, software },
        features: [...features].sort(),
        limits: Object.fromEntries(LIMITS.map((limit) => [limit, limits[limit]])),
        subgroup_lanes: subgroupLanes,
      },
      ...summaryOf(name, session.checks, session.notRun),
      operations: session.checks,
      speed,
      not_run: session.notRun,
      seconds: Number(session.secondsUsed.toFixed(1)),
    };
  } finally {
    session.gpu.destroy();
  }
}
