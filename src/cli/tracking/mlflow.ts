/**
 * A run on an MLflow server, over its REST interface (2.0). MLFLOW_TRACKING_URI says where, MLFLOW_EXPERIMENT_NAME under which name, and
 * MLFLOW_TRACKING_TOKEN is sent along if it is set. A run that goes on goes on there, too. A server that does not answer costs a warning, never a training.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { EpochRecord, EvaluationRecord, StepRecord } from '../../mtunet/records.ts';
import { UsageError } from '../failure.ts';
import type { RunFolder } from '../run-folder.ts';
import { epochScalars, stepScalars, type Tracker, testScalars } from './scalars.ts';

/** Most that one request may hold, by MLflow's documentation. */
const METRICS_A_BATCH = 1000;
const PARAMS_A_BATCH = 100;
const VALUE_LENGTH = 500;
/** A busy training answers late itself. */
const PATIENCE_MS = 60_000;

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export class MlflowTracker implements Tracker {
  private readonly server: Server;
  private readonly runId: string | null;
  private readonly tell: (line: string) => void;
  private pending: Metric[] = [];
  private sending: Promise<void> = Promise.resolve();
  private warned = false;

  private constructor(server: Server, runId: string | null, tell: (line: string) => void) {
    this.server = server;
    this.runId = runId;
    this.tell = tell;
  }

  static async open(folder: RunFolder, env: NodeJS.ProcessEnv, tell: (line: string) => void): Promise<MlflowTracker> {
    const uri = env.MLFLOW_TRACKING_URI;
    if (!uri || !/^https?:/.test(uri))
      throw new UsageError(
        `--track mlflow needs MLFLOW_TRACKING_URI with an http address, it is ${uri ? `"${uri}"` : 'not set'}; set it or leave mlflow out.`,
      );
    const server = new Server(uri, env.MLFLOW_TRACKING_TOKEN);
    try {
      return new MlflowTracker(server, await register(server, folder, env.MLFLOW_EXPERIMENT_NAME ?? 'mtunet'), tell);
    } catch (error) {
      const tracker = new MlflowTracker(server, null, tell);
      tracker.warn(error);
      return tracker;
    }
  }

  step(record: StepRecord): void {
    this.add(stepScalars(record), record.step);
  }

  epoch(record: EpochRecord, steps: number): void {
    this.add(epochScalars(record), steps);
    this.flush();
  }

  async end(evaluation: EvaluationRecord | null, steps: number): Promise<void> {
    if (evaluation) this.add(testScalars(evaluation), steps);
    this.flush();
    await this.sending;
    if (!this.runId) return;
    const status = evaluation ? 'FINISHED' : 'SCHEDULED';
    await this.server
      .post('runs/update', { run_id: this.runId, status, ...(evaluation && { end_time: Date.now() }) })
      .catch((error) => this.warn(error));
  }

  private add(scalars: Readonly<Record<string, number>>, step: number): void {
    const timestamp = Date.now();
    for (const [key, value] of Object.entries(scalars)) this.pending.push({ key, value, timestamp, step });
  }

  /** One request after the other, while the training goes on. */
  private flush(): void {
    const batch = this.pending;
    this.pending = [];
    if (!this.runId) return;
    for (let from = 0; from < batch.length; from += METRICS_A_BATCH) {
      const metrics = batch.slice(from, from + METRICS_A_BATCH);
      this.sending = this.sending
        .then(() => this.server.post('runs/log-batch', { run_id: this.runId, metrics }))
        .then(() => undefined)
        .catch((error) => {
          this.warn(error);
          this.pending.unshift(...metrics); // for the next time
        });
    }
  }

  private warn(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    this.tell(
      `MLflow: ${(error as Error).message}; the training goes on without it, and the JSON lines hold everything.`,
    );
  }
}

class Server {
  private readonly base: string;
  private readonly token: string | undefined;

  constructor(uri: string, token: string | undefined) {
    this.base = `${uri.replace(/\/+$/, '')}/api/2.0/mlflow/`;
    this.token = token;
  }

  async post(path: string, body: object): Promise<Record<string, unknown>> {
    return this.ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  async ask(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    const headers = {
      'content-type': 'application/json',
      ...(this.token && { authorization: `Bearer ${this.token}` }),
    };
    const response = await fetch(this.base + path, {
      ...init,
      headers,
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((error: Error) => {
      throw new Error(`${this.base} does not answer (${(error.cause as Error | undefined)?.message ?? error.message})`);
    });
    const text = await response.text();
    if (!response.ok)
      throw new MlflowError(`${path} answered ${response.status} ${text.slice(0, 200)}`, response.status);
    return text ? JSON.parse(text) : {};
  }
}

class MlflowError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The id of this run on the server; kept in mlflow.json, so that a run that goes on is the same one there. */
async function register(server: Server, folder: RunFolder, experiment: string): Promise<string> {
  const path = folder.file('mlflow.json');
  if (existsSync(path)) {
    const runId = runIdIn(readFileSync(path, 'utf8'));
    if (runId === null) throw new Error(`${path} does not say which run of the server this is; remove it to begin one`);
    await server.post('runs/update', { run_id: runId, status: 'RUNNING' });
    return runId;
  }
  const experimentId = await experimentNamed(server, experiment);
  const name = basename(folder.path);
  const { run } = (await server.post('runs/create', {
    experiment_id: experimentId,
    start_time: Date.now(),
    run_name: name,
    tags: [{ key: 'mlflow.runName', value: name }],
  })) as { run: { info: { run_id: string } } };
  const runId = run.info.run_id;
  const params = flat(folder.config).map(([key, value]) => ({ key, value: String(value).slice(0, VALUE_LENGTH) }));
  for (let from = 0; from < params.length; from += PARAMS_A_BATCH)
    await server.post('runs/log-batch', { run_id: runId, params: params.slice(from, from + PARAMS_A_BATCH) });
  folder.writeJson('mlflow.json', { runId, experimentId });
  return runId;
}

function runIdIn(text: string): string | null {
  try {
    const { runId } = JSON.parse(text);
    return typeof runId === 'string' ? runId : null;
  } catch {
    return null;
  }
}

async function experimentNamed(server: Server, name: string): Promise<string> {
  try {
    const found = await server.ask(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    return (found as { experiment: { experiment_id: string } }).experiment.experiment_id;
  } catch (error) {
    if (!(error instanceof MlflowError) || error.status !== 404) throw error;
    return (await server.post('experiments/create', { name })).experiment_id as string;
  }
}

/** { network: { base: 4 } } as network.base = 4 */
export function flat(value: unknown, under = ''): [string, unknown][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[under, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, part]) => flat(part, under ? `${under}.${name}` : name));
}
