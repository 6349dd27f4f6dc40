/** A sweep as a Kubernetes Indexed Job: the pod's completion index is the run's place in sweep.json, and what is done already ends at once. */
import { stringify } from 'yaml';
import { EXIT } from '../failure.ts';
import { type Sweep, slug } from './run-description.ts';

export interface KubernetesOptions {
  readonly name: string;
  /** Holds node, this package and a driver for the GPU; its entry point is ignored. */
  readonly image: string;
  /** The persistent volume claim whose root is the sweep's folder. */
  readonly claim: string;
  /** Pods at a time. */
  readonly throttle: number;
}

const MOUNT = '/sweep';
const GRACE_SECONDS = 120;
const RETRIES = 10;

export function indexedJob(sweep: Sweep, { name, image, claim, throttle }: KubernetesOptions): string {
  const completions = sweep.runs.length;
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `mtunet-${slug(name)}` },
    spec: {
      completionMode: 'Indexed',
      completions,
      parallelism: Math.min(throttle, completions),
      // A failed run must not stop the others; one that was evicted or killed goes on from its checkpoint.
      backoffLimitPerIndex: RETRIES,
      maxFailedIndexes: completions,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
          { action: 'FailIndex', onExitCodes: { operator: 'In', values: [EXIT.failure, EXIT.usage] } },
        ],
      },
      template: {
        spec: {
          restartPolicy: 'Never',
          // SIGTERM asks for a checkpoint after the step under way.
          terminationGracePeriodSeconds: GRACE_SECONDS,
          containers: [
            {
              name: 'worker',
              image,
              command: ['mtunet', 'worker', MOUNT, '$(RUN)'],
              env: [
                {
                  name: 'RUN',
                  valueFrom: {
                    fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" },
                  },
                },
              ],
              resources: { limits: { 'nvidia.com/gpu': 1 } },
              volumeMounts: [{ name: 'sweep', mountPath: MOUNT }],
            },
          ],
          volumes: [{ name: 'sweep', persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
  const index = sweep.runs.map(({ index, row, seed }) => `#   ${index}  ${row}, seed ${seed}`);
  return [
    `# kubectl apply -f this file, once ${sweep.folder} is the root of the claim "${claim}".`,
    '# Index and run:',
    ...index,
    stringify(job),
  ].join('\n');
}
