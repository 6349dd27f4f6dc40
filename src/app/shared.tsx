/** What both runs share, so that only what is meant to differ does. */
import { useState } from 'preact/hooks';
import { useStore } from './later.tsx';
import type { Size } from './live/settings.ts';
import { MAPS, type MapName } from './pictures.ts';
import type { Store } from './store.ts';
import { SEEDS, TRAIN, whole } from './url.ts';

const SPEEDS = { full: 0, medium: 150, slow: 600 } as const;

export function Shared({ store }: { store: Store }) {
  const { settings, mode, colours } = useStore(store);
  const [speed, setSpeed] = useState<keyof typeof SPEEDS>('full');
  const live = mode === 'live';
  return (
    <div class="controls shared">
      <label>
        Training films <output>{settings.train}</output>
        <input
          type="range"
          id="train"
          min={TRAIN[0]}
          max={TRAIN[1]}
          step="6"
          value={settings.train}
          disabled={!live}
          onChange={(e) => store.reset({ ...settings, train: Number(e.currentTarget.value) })}
        />
      </label>
      <label>
        Dropout <output>{settings.dropout}</output>
        <input
          type="range"
          id="dropout"
          min="0"
          max="0.75"
          step="0.25"
          value={settings.dropout}
          disabled={!live}
          onChange={(e) => store.reset({ ...settings, dropout: Number(e.currentTarget.value) })}
        />
      </label>
      <label>
        Seed
        <input
          type="number"
          id="seed"
          min={SEEDS[0]}
          max={SEEDS[1]}
          value={settings.seed}
          disabled={!live}
          onChange={(e) => {
            // Also when it is the same again: the field may say something else.
            const seed = whole(e.currentTarget.value, SEEDS);
            e.currentTarget.value = `${seed}`;
            store.reset({ ...settings, seed });
          }}
        />
      </label>
      <label>
        Speed
        <select
          id="speed"
          value={speed}
          disabled={!live}
          onChange={(e) => {
            const chosen = e.currentTarget.value as keyof typeof SPEEDS;
            setSpeed(chosen);
            store.send({ kind: 'speed', pauseMs: SPEEDS[chosen] });
          }}
        >
          <option value="full">full</option>
          <option value="medium">medium</option>
          <option value="slow">slow</option>
        </select>
      </label>
      <label class="wide">
        Pictures
        <select
          id="size"
          value={settings.size}
          disabled={!live}
          onChange={(e) => store.reset({ ...settings, size: e.currentTarget.value as Size })}
        >
          <option value="small">small: 48 × 32, base 4</option>
          <option value="large">large: 96 × 64, base 8</option>
        </select>
      </label>
      <label>
        Colours
        <select
          id="colours"
          value={colours}
          onChange={(e) => store.change({ colours: e.currentTarget.value as MapName })}
        >
          {Object.keys(MAPS).map((name) => (
            <option key={name} value={name}>
              {name === 'jet' ? 'jet (as in the paper)' : name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
