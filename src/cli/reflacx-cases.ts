/** Cases of REFLACX: its tables beside the films of MIMIC-CXR, readings of one film merged or each a case of its own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  meanFindings,
  type ReflacxReading,
  readReflacxEllipses,
  readReflacxFixations,
  readReflacxMetadata,
  reflacxClass,
} from '../data/reflacx.ts';
import { Failure } from './failure.ts';
import type { SourceCase } from './prepare-data.ts';
import { fileInside, readWhole } from './source-files.ts';

export interface ReflacxOptions {
  readonly phases: readonly number[];
  readonly readings: 'merged' | 'separate';
  /** Leave out and list cases whose tables cannot be read. */
  readonly skipBad: boolean;
}

export interface ReflacxCases {
  readonly cases: SourceCase[];
  /** Readings whose tracking the authors discarded; films or readings with findings outside the three classes. */
  readonly discarded: number;
  readonly otherFindings: number;
  readonly bad: readonly { readonly id: string; readonly reason: string }[];
}

/** @param root real path of the folder that holds main_data */
export function readReflacxCases(root: string, { phases, readings: rule, skipBad }: ReflacxOptions): ReflacxCases {
  const main = existsSync(join(root, 'main_data')) ? 'main_data' : '.';
  const all = phases.flatMap((phase) => {
    const path = fileInside(root, `${main}/metadata_phase_${phase}.csv`);
    return readReflacxMetadata(path, readWhole(path));
  });
  const seen = new Set<string>();
  for (const { id } of all) {
    if (seen.has(id)) throw new Failure(`${root}: the reading ${id} occurs twice; download the metadata again.`);
    seen.add(id);
  }
  const kept = all.filter(({ discarded }) => !discarded);
  const groups = new Map<string, ReflacxReading[]>();
  for (const reading of kept) {
    const key = rule === 'merged' ? reading.film : reading.id;
    groups.set(key, [...(groups.get(key) ?? []), reading]);
  }
  const cases: SourceCase[] = [];
  const bad: { id: string; reason: string }[] = [];
  let otherFindings = 0;
  for (const [id, readings] of groups) {
    const label = reflacxClass(meanFindings(readings));
    if (label === null) otherFindings++;
    else
      try {
        const { patient, path, height, width } = readings[0];
        const tables = readings.map(({ id: folder }) => readingTables(root, `${main}/${folder}`));
        const ellipses = tables.map((one) => one.ellipses);
        cases.push({ id, patient, label, path, readings: tables, ellipses, size: { height, width } });
      } catch (error) {
        if (!skipBad) throw error;
        bad.push({ id, reason: (error as Error).message });
      }
  }
  if (cases.length === 0)
    throw new Failure(
      `${root}: no reading of phase ${phases.join(', ')} can be used: ${all.length - kept.length} of ${all.length} were discarded by their authors, ${otherFindings} show other findings, ${bad.length} cannot be read; give more phases.`,
    );
  return { cases, discarded: all.length - kept.length, otherFindings, bad };
}

function readingTables(root: string, folder: string) {
  const read = <T>(table: string, parse: (name: string, bytes: Uint8Array) => T): T => {
    const path = fileInside(root, `${folder}/${table}`);
    return parse(path, readWhole(path));
  };
  const fixations = read('fixations.csv', readReflacxFixations);
  const ellipses = read('anomaly_location_ellipses.csv', readReflacxEllipses);
  return { points: Float64Array.from(fixations.flatMap(({ x, y }) => [x, y])), fixations, ellipses };
}
