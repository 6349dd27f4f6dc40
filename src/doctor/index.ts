/**
 * The check of a machine: is what this adapter computes right, and how fast is it? The same for the command line (`mtunet doctor`) and the
 * page ("Check this machine").
 */
import { checkDerivations } from './derivations.ts';
import { checkFamilies } from './families.ts';
import { checkSizes } from './limits.ts';
import { checkOperations } from './operations.ts';
import { type MachineReport, type Speed, summaryOf } from './report.ts';
import { type DoctorOptions, Session } from './session.ts';
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
    await checkOperations(session, 'small', [0, 0.25]);
    await session.progress(0.25, 'NaN and infinity');
    await checkSpecialValues(session);
    await session.progress(0.28, 'a recorded training');
    await checkTraining(session);
    await session.progress(0.33, 'derivations');
    await checkDerivations(session);
    await checkFamilies(session, [0.38, 0.55]);
    await checkOperations(session, 'large', [0.55, 0.7]);
    await checkSizes(session, [0.7, 0.75]);
    await session.progress(0.75, 'a lost device');
    await checkDeviceLoss(session);
    const presets = options.presets ?? ['tiny', 'small', 'paper'];
    const speed: Speed[] = await measureSpeed(session, [0.8, 1], presets);
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
