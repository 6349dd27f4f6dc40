/** What need not be there at first, each part in a frame of its own, so that no single task blocks the page. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

let turn = Promise.resolve();
/** A timer beside the frame: a tab in the background draws no frames. */
const nextFrame = () =>
  new Promise<void>((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 200);
  });

/**
 * Draws its children when their turn has come; the parts of a page come in the order of the page. Once laid out, a part that is
 * out of sight keeps its place and costs nothing.
 */
export function Later({ children }: { children: ComponentChildren }) {
  const [stage, setStage] = useState<'waits' | 'drawn' | 'settled'>('waits');
  useEffect(() => {
    let wanted = true;
    const enter = (next: typeof stage) => () => {
      if (wanted) setStage(next);
    };
    turn = turn.then(nextFrame).then(enter('drawn')).then(nextFrame).then(enter('settled'));
    return () => {
      wanted = false;
    };
  }, []);
  return <div class={`later ${stage}`}>{stage !== 'waits' && children}</div>;
}
