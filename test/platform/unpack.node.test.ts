/** The cache of unpacked files: whatever happened to it, what unpack() leaves is whole. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheFolder, readTar, unpack } from '../../src/platform/unpack.ts';

/** One ustar entry. */
function entry(name: string, contents: string, { mode = '644', type = '0' } = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(mode.padStart(7, '0'), 100);
  header.write(Buffer.byteLength(contents).toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar', 257);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(contents) / 512) * 512);
  body.write(contents);
  return Buffer.concat([header, body]);
}

const END = Buffer.alloc(1024);
const LIBRARY = 'a library '.repeat(200);

let scratch: string;
let archive: string;
let folder: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'mtunet-unpack-'));
  archive = join(scratch, 'driver.tar.br');
  folder = join(scratch, 'cache', 'driver-1');
  await writeFile(
    archive,
    brotliCompressSync(
      Buffer.concat([
        entry('lib/', '', { type: '5' }),
        entry('lib/driver.so', LIBRARY, { mode: '755' }),
        entry('driver.json', '{}'),
        END,
      ]),
    ),
  );
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

async function expectWhole(): Promise<void> {
  expect(await readFile(join(folder, 'lib', 'driver.so'), 'utf8')).toBe(LIBRARY);
  expect(await readFile(join(folder, 'driver.json'), 'utf8')).toBe('{}');
  expect((await readdir(join(scratch, 'cache'))).filter((name) => name.includes('unpacking'))).toEqual([]);
}

describe('unpack', () => {
  test('unpacks once, with modes', async () => {
    expect(await unpack(archive, folder)).toBe(true);
    await expectWhole();
    expect((await stat(join(folder, 'lib', 'driver.so'))).mode & 0o777).toBe(0o755);
    expect(await unpack(archive, folder)).toBe(false);
  });

  const damages: Record<string, () => Promise<void>> = {
    'a file cut short': () => truncate(join(folder, 'lib', 'driver.so'), 100),
    'a file of zeros with the right size': () =>
      writeFile(join(folder, 'lib', 'driver.so'), Buffer.alloc(LIBRARY.length)),
    'a missing file': () => rm(join(folder, 'driver.json')),
    'no marker, as if the process had been killed': () => rm(join(folder, '.driver.tar.br.json')),
    'half a marker': () => truncate(join(folder, '.driver.tar.br.json'), 20),
    'another archive': async () =>
      writeFile(
        archive,
        Buffer.from(
          brotliCompressSync(
            Buffer.concat([entry('lib/driver.so', LIBRARY), entry('driver.json', '{}'), entry('new', 'x'), END]),
          ),
        ),
      ),
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`notices ${name}`, async () => {
      await unpack(archive, folder);
      await damage();
      expect(await unpack(archive, folder)).toBe(true);
      await expectWhole();
      expect(await unpack(archive, folder)).toBe(false);
    });
  }

  test('many at once leave one whole folder', async () => {
    await Promise.all(Array.from({ length: 8 }, () => unpack(archive, folder)));
    await expectWhole();
    expect(await unpack(archive, folder)).toBe(false);
  });

  test('removes what a killed process left, once it is old', async () => {
    const left = join(scratch, 'cache', 'driver-1.unpacking-left');
    await mkdir(left, { recursive: true });
    await utimes(left, 0, 0);
    await unpack(archive, folder);
    await expectWhole();
  });

  test('an archive of one program', async () => {
    const program = join(scratch, 'program.br');
    await writeFile(program, brotliCompressSync(Buffer.from('#!')));
    await unpack(program, folder);
    expect((await stat(join(folder, 'program'))).mode & 0o777).toBe(0o755);
  });

  test('says which variable moves the cache when it cannot be written', async () => {
    await writeFile(join(scratch, 'file'), '');
    await expect(unpack(archive, join(scratch, 'file', 'driver'))).rejects.toThrow('set MTUNET_CACHE');
  });
});

describe('readTar', () => {
  test('refuses to write outside its folder', () => {
    expect(() => [...readTar(Buffer.concat([entry('../evil', 'x'), END]))]).toThrow('outside its folder: ../evil');
    expect(() => [...readTar(Buffer.concat([entry('/evil', 'x'), END]))]).toThrow('outside its folder');
  });

  test('refuses links and cut archives', () => {
    expect(() => [...readTar(Buffer.concat([entry('link', '', { type: '2' }), END]))]).toThrow('type "2"');
    expect(() => [...readTar(entry('file', 'x'.repeat(600)).subarray(0, 1024))]).toThrow('ends inside file');
  });
});

test('the cache lies where the environment says', () => {
  expect(cacheFolder({ MTUNET_CACHE: '/elsewhere', XDG_CACHE_HOME: '/xdg' })).toBe('/elsewhere');
  expect(cacheFolder({ XDG_CACHE_HOME: '/xdg' })).toBe(join('/xdg', 'mtunet'));
  expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toMatch(/\.cache.mtunet$/);
});
