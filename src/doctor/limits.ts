/** Buffers up to what the adapter says that it has. */
import { expand, OutOfMemoryError, scale, shift, sum, type Tensor, upload } from '../engine/index.ts';
import type { Session } from './session.ts';

/** A software adapter computes in the machine's own memory, which others need, too. */
const MOST_BYTES = { software: 2 ** 28, gpu: 2 ** 31 };

/** Bytes of a row of the tensors here. */
const COLUMNS = 4096;
const ROW = 4 * COLUMNS;

/** Tensors of powers of two bytes, up to the largest buffer and beyond the largest binding: each element is written and read. */
export async function checkSizes(session: Session, [from, until]: readonly [number, number]): Promise<void> {
  const { limits, description } = session.gpu;
  const most = Math.min(limits.maxBufferSize, MOST_BYTES[description.software ? 'software' : 'gpu']);
  const sizes = [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26, 2 ** 28, 2 ** 30].filter((bytes) => bytes < most);
  for (const bytes of [...sizes, Math.floor(most / ROW) * ROW]) {
    const name = `a tensor of ${Math.round(bytes / 2 ** 20)} MiB`;
    await session.progress(from, name);
    if (bytes > 2 ** 20 && !session.before(until)) {
      session.notRun.push({ name, why: 'no time left' });
      continue;
    }
    await wholeTensor(session, name, bytes);
    session.gpu.trim();
  }
}

/** The sum of 3 x + 1 over a tensor of ones, of which the last is 2: wrong where a part is not written, read twice or left out. */
async function wholeTensor(session: Session, name: string, bytes: number): Promise<void> {
  let refused: OutOfMemoryError | null = null;
  await session.check({ name, group: 'limit' }, async (gpu) => {
    try {
      const rows = bytes / ROW;
      const { last, total } = await gpu.step(() => {
        const column = upload(
          gpu,
          'N',
          [rows],
          Float32Array.from({ length: rows }, (_, i) => (i === rows - 1 ? 2 : 1)),
        );
        const wide = expand(column, 'NC', [rows, COLUMNS]);
        const changed = shift(scale(wide, 3), 1);
        return { last: sum(changed, 'C'), total: sum(changed) as Tensor };
      });
      const wrong = [...(last as Float32Array)].findIndex((value, i) => value !== (i === rows - 1 ? 7 : 4) * COLUMNS);
      const expected = (4 * rows + 3) * COLUMNS;
      const error = Math.abs(Number(total) - expected) / expected / 1e-6;
      return { error: wrong >= 0 ? Number.POSITIVE_INFINITY : error, where: wrong >= 0 ? `row ${wrong}` : 'the sum' };
    } catch (problem) {
      if (!(problem instanceof OutOfMemoryError)) throw problem;
      refused = problem;
      return { error: null };
    }
  });
  if (!refused) return;
  // Refused in a sentence: that is no fault of the adapter, but no result either.
  session.checks.pop();
  session.notRun.push({ name, why: (refused as OutOfMemoryError).message.split('\n', 1)[0] });
}
