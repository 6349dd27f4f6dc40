/** The films of a run: gaze and predicted saliency as overlays, and the classes' probabilities. */
import { FilmView } from './film.tsx';
import { useStore } from './later.tsx';
import type { Store } from './store.ts';

export function RunFilms({ store, run }: { store: Store; run: 0 | 1 }) {
  const { films, height, width, classNames, colours } = useStore(store);
  const name = 'AB'[run];
  const pictures = store.frame?.pictures[run] ?? [];
  return (
    <div class="films">
      {films.map(({ image, gaze, label }, i) => {
        const picture = pictures[i];
        const truth = label === null ? 'your film' : classNames[label];
        return (
          <div class="example" key={i}>
            <div class="pair">
              <div>
                <span class="cap">gaze</span>
                <FilmView
                  image={image}
                  map={gaze}
                  height={height}
                  width={width}
                  colours={colours}
                  label={`Film, ${truth}, with the gaze of its reader`}
                />
              </div>
              <div>
                <span class="cap">predicted</span>
                <FilmView
                  image={image}
                  map={picture?.saliency ?? null}
                  height={height}
                  width={width}
                  colours={colours}
                  label={`Run ${name}: the same film with the predicted saliency`}
                />
              </div>
            </div>
            <Probabilities classes={picture?.classes ?? null} names={classNames} label={label} truth={truth} />
          </div>
        );
      })}
    </div>
  );
}

function Probabilities({
  classes,
  names,
  label,
  truth,
}: {
  classes: Float32Array | null;
  names: readonly string[];
  label: number | null;
  truth: string;
}) {
  return (
    <div class="classes">
      <p class="truth">
        truth: <b>{truth}</b>
      </p>
      {names.map((name, i) => {
        const share = classes ? classes[i] : 0;
        return (
          <div class={i === label ? 'bar right' : 'bar'} key={name}>
            <span>{name}</span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect class="track" width="100" height="8" />
              <rect class="fill" width={100 * share} height="8" />
            </svg>
            <span class="value">{classes ? `${Math.round(100 * share)} %` : 'n/a'}</span>
          </div>
        );
      })}
    </div>
  );
}
