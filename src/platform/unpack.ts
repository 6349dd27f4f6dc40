/**
 * Unpacks brotli-compressed archives of npm packages into a per-user cache.
 *
 * Several processes may unpack the same archive at once, and any of them may be killed: files are written beside the folder, moved in
 * one by one by rename (which replaces in one stroke and always by the same contents), and a marker that lists their sizes and hashes is
 * moved in last. A reader trusts the files only if the marker agrees with them, and unpacks again otherwise.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

export interface PackedFile {
  readonly path: string;
  readonly contents: Uint8Array;
  readonly executable: boolean;
}

interface Marker {
  readonly archiveBytes: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

/** Beyond this size a file is known by its size alone: hashing a whole browser at every start would take longer than starting it. */
const HASHED_BYTES = 32 * 2 ** 20;
const STALE_MS = 24 * 3600 * 1000;

/** Where unpacked files live: $MTUNET_CACHE, else mtunet/ in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.MTUNET_CACHE) return resolve(env.MTUNET_CACHE);
  const base = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(base, 'mtunet');
}

/**
 * Makes sure that the contents of `archive` lie in `folder`, and says whether it had to unpack them.
 * A `.tar.br` holds many files; any other `.br` holds one, which is a program named like the archive.
 */
export async function unpack(archive: string, folder: string): Promise<boolean> {
  const marker = join(folder, `.${basename(archive)}.json`);
  const archiveBytes = (await stat(archive)).size;
  if (await isIntact(folder, marker, archiveBytes)) return false;

  const aside = `${folder}.unpacking-${randomUUID()}`;
  try {
    await mkdir(aside, { recursive: true });
  } catch (problem) {
    throw new Error(`Cannot write to the cache folder ${dirname(folder)}; set MTUNET_CACHE to a folder of yours.`, {
      cause: problem,
    });
  }
  try {
    const contents = await promisify(brotliDecompress)(await readFile(archive));
    const files = archive.endsWith('.tar.br')
      ? [...readTar(contents)]
      : [{ path: basename(archive, '.br'), contents, executable: true }];
    for (const file of files) await place(file, aside, folder);
    const description: Marker = {
      archiveBytes,
      files: files.map(({ path, contents: { length: size }, contents }) => ({ path, size, sha256: sha256(contents) })),
    };
    await place(
      { path: basename(marker), contents: Buffer.from(JSON.stringify(description, null, 1)), executable: false },
      aside,
      folder,
    );
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await sweep(folder);
  return true;
}

/** The regular files of a tar archive (ustar, as written by GNU tar or node-tar without long names). */
export function* readTar(archive: Uint8Array): Generator<PackedFile> {
  const text = (start: number, length: number) =>
    Buffer.from(archive.subarray(start, start + length))
      .toString('utf8')
      .split('\0', 1)[0];
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    const prefix = text(at + 257, 5) === 'ustar' && archive[at + 262] === 0 ? text(at + 345, 155) : '';
    const path = (prefix ? `${prefix}/` : '') + text(at, 100);
    const type = text(at + 156, 1) || '0';
    if (!Number.isSafeInteger(size) || at + 512 + size > archive.length)
      throw new Error(`The tar archive ends inside ${path}.`);
    if (isAbsolute(path) || path.split(/[/\\]/).includes('..'))
      throw new Error(`The tar archive would write outside its folder: ${path}.`);
    if (type === '0') {
      yield {
        path,
        contents: archive.subarray(at + 512, at + 512 + size),
        executable: (Number.parseInt(text(at + 100, 8), 8) & 0o100) !== 0,
      };
    } else if (!'5xg'.includes(type)) {
      throw new Error(
        `The tar archive holds ${path}, an entry of type "${type}"; only files and folders are expected.`,
      );
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Writes a file aside and moves it to its place in one stroke. */
async function place({ path, contents, executable }: PackedFile, aside: string, folder: string): Promise<void> {
  const written = join(aside, randomUUID());
  const target = join(folder, ...path.split('/'));
  await writeFile(written, contents, { mode: executable ? 0o755 : 0o644, flush: true });
  await mkdir(dirname(target), { recursive: true });
  await rename(written, target);
}

async function isIntact(folder: string, marker: string, archiveBytes: number): Promise<boolean> {
  try {
    const { archiveBytes: known, files } = JSON.parse(await readFile(marker, 'utf8')) as Marker;
    if (known !== archiveBytes) return false;
    for (const { path, size, sha256: expected } of files) {
      const file = join(folder, ...path.split('/'));
      if ((await stat(file)).size !== size) return false;
      if (size <= HASHED_BYTES && sha256(await readFile(file)) !== expected) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Removes what killed processes left beside the folder, once it is too old to be in use. */
async function sweep(folder: string): Promise<void> {
  const parent = dirname(folder);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${folder.split(sep).pop()}.unpacking-`)) continue;
    const left = join(parent, name);
    const age = await stat(left).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await rm(left, { recursive: true, force: true });
  }
}

function sha256(contents: Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}
