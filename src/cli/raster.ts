/** SVG to PNG: resvg as WebAssembly with a font of ours, so that a figure has the same pixels on every machine. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { FONT_FAMILY, figureFonts } from '../platform/fonts.ts';

/** Pixels a unit of the SVG. */
const ZOOM = 2;

let ready: Promise<Uint8Array[]> | null = null;

async function prepare(): Promise<Uint8Array[]> {
  await initWasm(await readFile(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return figureFonts();
}

export async function pngOf(svg: string): Promise<Uint8Array> {
  ready ??= prepare();
  const fontBuffers = await ready;
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: { fontBuffers, loadSystemFonts: false, defaultFontFamily: FONT_FAMILY, sansSerifFamily: FONT_FAMILY },
  });
  const rendered = drawing.render();
  try {
    return rendered.asPng();
  } finally {
    rendered.free();
    drawing.free();
  }
}
