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

/** Draws its children when their turn has come; the parts of a page come in the order of the page. */
export function Later({ children }: { children: ComponentChildren }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    let wanted = true;
    turn = turn.then(nextFrame).then(() => {
      if (wanted) setDue(true);
    });
    return () => {
      wanted = false;
    };
  }, []);
  return <>{due && children}</>;
}
