/**
 * Recorded values for tests, in Node and in a browser alike. They lie in $GOLDEN, by default test/golden; a browser fetches them from
 * the test server (browser-server.ts).
 */

const inBrowser = typeof window !== 'undefined';

/** The bytes of a recorded file, by its path inside the folder: `loading/good.safetensors`. */
export async function readGolden(relativePath: string): Promise<Uint8Array<ArrayBuffer>> {
  if (inBrowser) return new Uint8Array(await (await fetchGolden('files', relativePath)).arrayBuffer());
  const { readFile } = await import('node:fs/promises');
  return Uint8Array.from(await readFile(await goldenPath(relativePath)));
}

/** A recorded JSON file; "NaN", "Infinity" and "-Infinity" stand for themselves. */
// biome-ignore lint/suspicious/noExplicitAny: the tables differ from file to file, and each test states what it reads
export async function readGoldenJson(relativePath: string): Promise<any> {
  return parseGolden(new TextDecoder().decode(await readGolden(relativePath)));
}

export const parseGolden = (text: string) =>
  JSON.parse(text, (_, value) =>
    value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : value,
  );

/** The names of the files in a recorded folder, sorted; subfolders are left out. */
export async function goldenFiles(folder: string): Promise<string[]> {
  if (inBrowser) return (await fetchGolden('names', folder)).json();
  const { readdir } = await import('node:fs/promises');
  const entries = await readdir(await goldenPath(folder), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

async function goldenPath(relativePath: string): Promise<string> {
  const { resolve } = await import('node:path');
  return resolve(process.env.GOLDEN || 'test/golden', relativePath);
}

async function fetchGolden(verb: 'files' | 'names', path: string): Promise<Response> {
  const response = await fetch(`/golden/${verb}/${encodeURI(path)}`);
  if (!response.ok) throw new Error(`golden ${path}: ${await response.text()}`);
  return response;
}
