/** The commands around runs, as a user calls them: trackers while training, then comparing, predicting and reporting. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { decode, encode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RunFolder } from '../../../src/cli/run-folder.ts';
import { MlflowTracker } from '../../../src/cli/tracking/mlflow.ts';
import { start, trainArguments } from '../../support/command.ts';
import { readEvents } from '../../support/event-file.ts';
import { builtProgram } from '../../support/program.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-runs-'));
const [tracked, other] = ['tracked', 'other'].map((name) => join(place, name));
const EVENTS = 'events.out.tfevents.0000000000.mtunet';

/** As much of MLflow as a run needs, and what it was told. */
const requests: { path: string; body: Record<string, unknown> }[] = [];
let mlflow: Server;
let env: NodeJS.ProcessEnv;
let main: string;

beforeAll(async () => {
  main = await builtProgram();
  mlflow = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const path = (request.url ?? '').replace('/api/2.0/mlflow/', '');
      requests.push({ path, body: text ? JSON.parse(text) : {} });
      const answers: Record<string, [number, object]> = {
        'experiments/get-by-name?experiment_name=chests': [404, { error_code: 'RESOURCE_DOES_NOT_EXIST' }],
        'experiments/create': [200, { experiment_id: '3' }],
        'runs/create': [200, { run: { info: { run_id: 'abc' } } }],
      };
      const [status, answer] = answers[path] ?? [200, {}];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => mlflow.listen(0, '127.0.0.1', resolve));
  const { port } = mlflow.address() as AddressInfo;
  env = { MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}/`, MLFLOW_EXPERIMENT_NAME: 'chests' };

  const { child, ended } = start(main, [...trainArguments(place, 'tracked'), '--track', 'tensorboard', 'mlflow'], {
    env,
  });
  const steps = () => (RunFolder.isRun(tracked) ? RunFolder.open(tracked).steps.length : 0);
  while (steps() < 4 && child.exitCode === null) await pause(10);
  child.kill('SIGTERM');
  const { code, err } = await ended;
  expect(code, err).toBe(130);
  const resumed = await start(main, ['resume', tracked, '--track', 'tensorboard', 'mlflow'], { env }).ended;
  expect(resumed.code, resumed.err).toBe(0);
  const second = trainArguments(place, 'other', { scheme: { name: 'mtls1' }, seed: 2 });
  const unreachable = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' };
  const without = await start(main, [...second, '--track', 'mlflow'], { env: unreachable }).ended;
  expect(without.code, without.err).toBe(0);
  expect(without.err).toMatch(/MLflow: .*does not answer.*goes on without it/);
});
afterAll(() => {
  mlflow.close();
  rmSync(place, { recursive: true });
});

it('the event file of an interrupted run holds every step once, every epoch, the test and the pictures', () => {
  const folder = RunFolder.open(tracked);
  const [version, ...events] = readEvents(readFileSync(folder.file(EVENTS)));
  expect(version.version).toBe('brain.Event:2');
  const losses = events.filter(({ scalars }) => 'step/loss' in scalars);
  expect(losses.map(({ step }) => step)).toEqual(folder.steps.map(({ step }) => step));
  expect(losses.map(({ scalars }) => scalars['step/loss'])).toEqual(folder.steps.map(({ loss }) => Math.fround(loss)));
  const epochs = events.filter(({ scalars }) => 'epoch/valid/loss' in scalars);
  expect(epochs.map(({ step }) => step)).toEqual([3, 6, 9]);
  const [last] = events.slice(-1);
  expect(last.scalars['test/kld']).toBeCloseTo(folder.evaluation.saliency!.mean.kld, 5);
  const [id] = folder.evaluation.examples.map((example) => example.id);
  expect(last.images[`examples/${id}/prediction`]).toMatchObject({ height: 32, width: 32 });
});

it('MLflow has one run with all parameters, metrics and its end', () => {
  const to = (path: string) => requests.filter((request) => request.path === path);
  expect(to('runs/create').map(({ body }) => [body.experiment_id, body.run_name])).toEqual([['3', 'tracked']]);
  const params = to('runs/log-batch').flatMap(({ body }) => (body.params as { key: string; value: string }[]) ?? []);
  expect(params).toContainEqual({ key: 'scheme.name', value: '"mtls3"' });
  const metrics = to('runs/log-batch').flatMap(({ body }) => (body.metrics as { key: string; step: number }[]) ?? []);
  const steps = metrics.filter(({ key }) => key === 'step/loss').map(({ step }) => step);
  expect(new Set(steps).size).toBe(9);
  expect(metrics.some(({ key }) => key === 'test/accuracy')).toBe(true);
  expect(to('runs/update').map(({ body }) => body.status)).toEqual(['SCHEDULED', 'RUNNING', 'FINISHED']);
});

it('a damaged mlflow.json costs a warning that says what to do', async () => {
  const folder = RunFolder.create(join(place, 'damaged'), RunFolder.open(tracked).config);
  for (const damaged of ['{"runId": {}}', 'null', '{']) {
    writeFileSync(folder.file('mlflow.json'), damaged);
    const told: string[] = [];
    await MlflowTracker.open(folder, env, (line) => told.push(line));
    expect(told).toEqual([
      expect.stringMatching(/mlflow\.json does not say which run .*; remove it to begin one; the training goes on/),
    ]);
  }
});

it('compare tells what differs in settings and numbers', async () => {
  const { out, code } = await start(main, ['compare', tracked, other]).ended;
  expect(code).toBe(0);
  expect(out).toMatch(/settings:\n {2}scheme\.name: "mtls3" \| "mtls1"\n {2}seed: 1 \| 2\n/);
  expect(out).toMatch(/The logs part at step 1\./);
  expect(out).toMatch(/^KLD +\d\.\d{3} +\d\.\d{3} +[+\u2212]\d\.\d{3} +\[.*\] +permutation/m);
});

it('predict writes probabilities and a picture for a film of any size, and refuses what is no film', async () => {
  const film = join(place, 'my chest.png');
  const data = Uint8Array.from({ length: 50 * 70 }, (_, i) => (i * 37) % 256);
  writeFileSync(film, encode({ width: 50, height: 70, data, channels: 1, depth: 8 }));
  const out = join(place, 'predictions');
  const { out: text, code, err } = await start(main, ['predict', tracked, film, '--out', out, '--json']).ended;
  expect(code, err).toBe(0);
  const [{ probabilities, picture, target }] = JSON.parse(text);
  expect(probabilities.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 6);
  expect(probabilities[target]).toBe(Math.max(...probabilities));
  expect(decode(readFileSync(picture)).width).toBeGreaterThan(1000); // film, saliency, two maps of the class head
  const bad = await start(main, ['predict', tracked, join(place, 'tracked.json')]).ended;
  expect(bad.code).not.toBe(0);
  expect(bad.err).toMatch(/tracked\.json/);
});

it('report takes any folder of runs and names rows by what sets them apart', async () => {
  const out = join(place, 'page');
  const { code, err } = await start(main, ['report', place, '--out', out]).ended;
  expect(code, err).toBe(0);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  for (const label of ['MTLS1', 'MTLS3']) expect(html).toContain(label);
  expect(existsSync(join(out, 'results.json'))).toBe(true);
});
