/** A part of the page that comes in its turn, so that no single task blocks the page. */
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { State, Store } from './store.ts';
import { inTurn, Sight } from './turns.ts';

const Place = createContext(new Sight());

/**
 * Draws its children when their turn has come; the parts of a page come in the order of the page. Once laid out, a part that is
 * out of sight keeps its place and costs nothing.
 */
export function Later({ children }: { children: ComponentChildren }) {
  const [stage, setStage] = useState<'waits' | 'drawn' | 'settled'>('waits');
  const [sight] = useState(() => new Sight());
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let wanted = true;
    const enter = (next: typeof stage) => {
      if (wanted) setStage(next);
    };
    inTurn(() => {
      enter('drawn');
      // After all that wait, and the frames in which they are laid out.
      inTurn(() => enter('settled'));
    });
    const element = place.current!;
    const turned = (event: Event) => {
      if (event.target === element) sight.seen = !(event as ContentVisibilityAutoStateChangeEvent).skipped;
    };
    element.addEventListener('contentvisibilityautostatechange', turned);
    return () => {
      wanted = false;
      element.removeEventListener('contentvisibilityautostatechange', turned);
    };
  }, [sight]);
  return (
    <div class={`later ${stage}`} ref={place}>
      {stage !== 'waits' && <Place.Provider value={sight}>{children}</Place.Provider>}
    </div>
  );
}

/** The state; whoever asks is drawn again in its turn whenever the store changes. */
export function useStore(store: Store): State {
  const sight = useContext(Place);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const drawn = useRef(0);
  drawn.current = store.changes;
  useEffect(() => {
    let [wanted, asked] = [true, false];
    const ask = () => {
      if (asked) return;
      asked = true;
      sight.inTurn(() => {
        asked = false;
        if (wanted && drawn.current !== store.changes) again(undefined as never);
      });
    };
    const forget = store.subscribe(ask);
    if (drawn.current !== store.changes) ask();
    return () => {
      wanted = false;
      forget();
    };
  }, [store, sight]);
  return store.state;
}
