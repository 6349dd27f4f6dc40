import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { experimentNames, readExperiment, rowConfigs } from '../../src/cli/experiment-folder.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterEach(() => rmSync(place, { recursive: true }));

it.each(experimentNames())('%s can be planned under every preset', (name) => {
  const experiment = readExperiment(name);
  for (const preset of ['tiny', 'small', 'paper', 'released']) {
    const rows = rowConfigs(experiment, preset, {});
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
  }
});

it('has a folder for every table and figure of the paper, and the runs of table 4 are those of table 2', () => {
  const names = ['table-1', 'table-2', 'table-3', 'table-4', 'figure-2', 'figure-3'];
  expect(experimentNames()).toEqual(expect.arrayContaining(names));
  const [two, four] = ['table-2', 'table-4'].map(readExperiment);
  expect(four.runsOf).toBe('table-2');
  expect(rowConfigs(four, 'small', {})).toEqual(rowConfigs(two, 'small', {}));
});

it('refuses names that nothing has', () => {
  const folder = join(place, 'own');
  const write = (config: object, expected: object) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'config.yaml'),
      JSON.stringify({ title: 'T', measures: ['kld'], rows: [{ name: 'a' }], ...config }),
    );
    writeFileSync(join(folder, 'expected.json'), JSON.stringify({ source: 'none', ...expected }));
    return () => readExperiment(folder);
  };
  expect(write({}, {})().config.rows).toHaveLength(1);
  expect(write({ measures: ['kdl'] }, {})).toThrow(/measure "kdl".*kld/);
  expect(write({ rows: [] }, {})).toThrow(/has no rows/);
  const claim = { text: 'x', source: 'y', kind: 'present', row: 'a', measures: ['kld'] };
  expect(write({}, { claims: [claim] })).toThrow(/"kld".*circle/);
  expect(write({}, { claims: [{ ...claim, row: 'b', measures: ['circle'] }] })).toThrow(/"b".*rows are a/);
});
