/** The letters for figures that are drawn without a browser: Open Sans, from the npm package @sparticuz/chromium, the same everywhere. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedFonts } from './embedded.ts';

export const FONT_FAMILY = 'Open Sans';

export async function figureFonts(): Promise<Uint8Array[]> {
  const folder = join(await embeddedFonts(), 'fonts', 'Open_Sans');
  return Promise.all(['OpenSans-Regular.ttf', 'OpenSans-Bold.ttf'].map((name) => readFile(join(folder, name))));
}
