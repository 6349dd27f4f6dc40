/**
 * What comes with npm alone: the package @sparticuz/chromium carries SwiftShader (Vulkan on the CPU), a Vulkan loader and a headless
 * Chromium for Linux on x64, as compressed files. Its code is never run; its files are unpacked into the cache.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cacheFolder, unpack } from './unpack.ts';

export interface EmbeddedVulkan {
  /** Manifest of the software driver, for VK_DRIVER_FILES. */
  readonly manifest: string;
  /** libvulkan.so.1, for systems that have none. */
  readonly loader: string;
}

export interface EmbeddedChromium {
  readonly executablePath: string;
  /** Folder for LD_LIBRARY_PATH. */
  readonly libraries: string;
  /** File for FONTCONFIG_FILE. */
  readonly fonts: string;
}

/** Unpacks SwiftShader and the Vulkan loader where needed. Rejects with a sentence where the package does not run or is missing. */
export async function embeddedVulkan(): Promise<EmbeddedVulkan> {
  const { bin, folder } = locate('the embedded software adapter');
  await unpack(join(bin, 'swiftshader.tar.br'), folder);
  return { manifest: join(folder, 'vk_swiftshader_icd.json'), loader: join(folder, 'libvulkan.so.1') };
}

/** Unpacks the headless Chromium where needed; the first time takes some seconds. */
export async function embeddedChromium(): Promise<EmbeddedChromium> {
  const { bin, folder } = locate('the embedded Chromium');
  // Chromium looks for SwiftShader beside its binary, so that the folder is shared with embeddedVulkan().
  await unpack(join(bin, 'swiftshader.tar.br'), folder);
  await unpack(join(bin, 'al2023.tar.br'), join(folder, 'al2023'));
  await unpack(join(bin, 'fonts.tar.br'), join(folder, 'fonts'));
  await unpack(join(bin, 'chromium.br'), folder);
  return {
    executablePath: join(folder, 'chromium'),
    libraries: join(folder, 'al2023', 'lib'),
    fonts: await describeFonts(folder),
  };
}

/** Unpacks the fonts where needed; they are the same on every platform. Returns their folder. */
export async function embeddedFonts(): Promise<string> {
  const { bin, folder } = located('the embedded font');
  await unpack(join(bin, 'fonts.tar.br'), join(folder, 'fonts'));
  return join(folder, 'fonts');
}

/** The package's own fonts.conf names folders of a cloud service; a browser that finds no font draws no letter and may crash. */
async function describeFonts(folder: string): Promise<string> {
  const path = join(folder, 'fonts.conf');
  const text = (of: string) => of.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const contents = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${text(join(folder, 'fonts'))}</dir>
  <cachedir>${text(join(folder, 'fonts-cache'))}</cachedir>
</fontconfig>
`;
  if (existsSync(path) && readFileSync(path, 'utf8') === contents) return path;
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, contents);
  await rename(aside, path);
  return path;
}

function locate(what: string): { bin: string; folder: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`${capital(what)} runs on Linux x64 only, and this is ${process.platform} ${process.arch}.`);
  }
  return located(what);
}

function located(what: string): { bin: string; folder: string } {
  const home = packageFolder('@sparticuz/chromium');
  if (!home)
    throw new Error(
      `${capital(what)} is in the npm package @sparticuz/chromium, which is not installed; run npm install.`,
    );
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  return { bin: join(home, 'bin'), folder: join(cacheFolder(), `chromium-${version}`) };
}

/** The folder of an installed package, found as Node would find it but without its leave: package.json is not among its exports. */
function packageFolder(name: string): string | null {
  for (const modules of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const folder = join(modules, ...name.split('/'));
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return null;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
