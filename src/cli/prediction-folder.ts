/**
 * Names for the results of `mtunet predict`: no picture's result takes the place of another's, in one call or in calls after one another.
 *
 * predictions.json in the folder says of every file whose result it is; only the same picture seen by the same run is written over.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from './failure.ts';
import { writeWhole } from './whole-file.ts';

const entries = z.record(z.string(), z.object({ file: z.string(), sha256: z.string(), run: z.string() }).loose());

export interface PredictionEntry {
  /** The picture, and the SHA-256 of its bytes. */
  readonly file: string;
  readonly sha256: string;
  readonly run: string;
  readonly [more: string]: unknown;
}

/** File systems that ignore case, and forms of Unicode, hold one file for names that differ in these alone. */
const folded = (name: string) => name.normalize('NFC').toLowerCase();

/** A distinct name for each path: as short as the others allow. */
export function distinctNames(paths: readonly string[]): string[] {
  const spellings = paths.map((path) => {
    const file = basename(path);
    const folders = dirname(resolve(path))
      .split(/[\\/]+/)
      .filter(Boolean)
      .reverse();
    const longer = folders.map((_, i) => [...folders.slice(0, i + 1)].reverse().concat(file).join('-'));
    return [basename(path, extname(path)) || file, file, ...longer];
  });
  let names = spellings.map(([first]) => first);
  for (let level = 1; ; level++) {
    const count = new Map<string, number>();
    for (const name of names) count.set(folded(name), (count.get(folded(name)) ?? 0) + 1);
    const clashes = names.map((name) => count.get(folded(name))! > 1);
    if (!clashes.includes(true)) return names;
    if (level > 64 || spellings.every((all) => level >= all.length)) return numbered(names);
    names = names.map((name, i) => (clashes[i] ? (spellings[i][level] ?? name) : name));
  }
}

/** For the rest: paths that differ in how they are written alone. */
function numbered(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => freeName(name, (candidate) => taken.has(folded(candidate)), taken));
}

function freeName(name: string, isTaken: (name: string) => boolean, taken?: Set<string>): string {
  let candidate = name;
  for (let i = 2; isTaken(candidate); i++) candidate = `${name}-${i}`;
  taken?.add(folded(candidate));
  return candidate;
}

export class PredictionFolder {
  private readonly path: string;
  private readonly entries: Map<string, PredictionEntry>;
  private readonly written = new Set<string>();

  constructor(path: string) {
    this.path = path;
    this.entries = new Map(Object.entries(readEntries(this.file('predictions.json'))));
  }

  /** The name under which the result of this picture goes: `wanted`, or one with a number behind it. */
  claim(wanted: string, entry: PredictionEntry): string {
    const holds = (name: string) => [...this.entries].find(([key]) => folded(key) === folded(name))?.[1];
    const isOthers = (name: string) => {
      if (this.written.has(folded(name))) return true;
      const held = holds(name);
      if (!held) return existsSync(this.file(`${name}.png`));
      return held.sha256 !== entry.sha256 || held.run !== entry.run;
    };
    return freeName(wanted, isOthers);
  }

  /** Keeps the picture, then the record of whose it is. */
  write(name: string, png: Uint8Array, entry: PredictionEntry): string {
    const path = this.file(`${name}.png`);
    writeWhole(path, png);
    this.written.add(folded(name));
    this.entries.set(name, entry);
    writeWhole(this.file('predictions.json'), `${JSON.stringify(Object.fromEntries(this.entries), null, 2)}\n`);
    return path;
  }

  private file(name: string): string {
    return join(this.path, name);
  }
}

function readEntries(path: string): z.infer<typeof entries> {
  if (!existsSync(path)) return {};
  try {
    return entries.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw new Failure(`${path} is damaged, and says whose pictures lie beside it; choose another --out folder.`);
  }
}
