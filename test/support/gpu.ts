/** One device for a test file, closed when the file ends. */
import { afterAll } from 'vitest';
import { type Gpu, openGpu } from '../../src/engine/index.ts';

let opened: Gpu | null = null;

export async function testGpu(): Promise<Gpu> {
  opened ??= await openGpu();
  return opened;
}

afterAll(() => {
  opened?.destroy();
  opened = null;
});
