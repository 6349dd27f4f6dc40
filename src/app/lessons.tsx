/** Five exercises: a set-up, a prediction, then what the runs on this machine say. */
import { useEffect, useState } from 'preact/hooks';
import { useStore } from './later.tsx';
import { LESSONS, type Lesson } from './lesson-plans.ts';
import type { Store } from './store.ts';
import { toHash } from './url.ts';

/** Another set-up, made by hand meanwhile, is not the lesson's. */
const isKept = (store: Store, { setUp }: Lesson, started: number | null) =>
  started === store.resets && toHash(store.state.settings) === toHash({ ...setUp, size: store.state.settings.size });

export function Lessons({ store }: { store: Store }) {
  const state = useStore(store);
  const [open, setOpen] = useState(0);
  /** The count of resets when it was set up. */
  const [started, setStarted] = useState<number | null>(null);
  const [guess, setGuess] = useState<number | null>(null);
  const lesson = LESSONS[open];
  const choose = (index: number) => {
    setOpen(index);
    setGuess(null);
    setStarted(null);
  };
  const live = state.mode === 'live';
  const kept = isKept(store, lesson, started);
  const reached = live && kept && store.step >= lesson.steps;
  useEffect(() => {
    if (started === null) return;
    // At once, also when the lesson is out of sight.
    return store.subscribe(() => {
      if (store.state.playing && store.step >= lesson.steps && isKept(store, lesson, started)) store.toggle();
    });
  }, [store, lesson, started]);
  return (
    <section id="lessons" aria-labelledby="lessons-title">
      <h2 id="lessons-title">Five short lessons</h2>
      <p>Set the stage, commit to a prediction, then let the two runs decide.</p>
      <div class="tabs">
        {LESSONS.map(({ title }, i) => (
          <button type="button" key={title} aria-pressed={i === open} onClick={() => choose(i)}>
            <b>{i + 1}</b> {title}
          </button>
        ))}
      </div>
      <div class="lesson">
        <p class="question">{lesson.question}</p>
        <fieldset>
          <legend>Your prediction</legend>
          {lesson.answers.map((answer, i) => (
            <label key={answer}>
              <input type="radio" name="answer" checked={guess === i} onChange={() => setGuess(i)} />
              <span>{answer}</span>
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button
            type="button"
            class="primary"
            disabled={guess === null || !live}
            onClick={() => {
              store.reset({ ...lesson.setUp, size: state.settings.size });
              setStarted(store.resets);
              for (const one of lesson.held ?? []) store.send({ kind: 'hold', ...one });
              store.toggle();
            }}
          >
            Set it up and play {lesson.steps} steps
          </button>
          {!live && (
            <button type="button" disabled={guess === null} onClick={() => setStarted(store.resets)}>
              Reveal
            </button>
          )}
          {started !== null && live && (
            <span class="quiet">
              {kept
                ? `step ${Math.min(store.step, lesson.steps)} of ${lesson.steps}`
                : 'The controls were moved: set it up again.'}
            </span>
          )}
        </div>
        <div aria-live="polite">
          {(reached || (started !== null && !live)) && guess !== null && (
            <div class="reveal">
              <p>
                <b>
                  {guess === lesson.expected
                    ? 'As you predicted.'
                    : `Theory says: ${lesson.answers[lesson.expected].toLowerCase()}.`}
                </b>{' '}
                {lesson.why}
              </p>
              {live && (
                <p class="finding">
                  Measured here, now. {lesson.measured(state)}
                  {!lesson.holds(state) &&
                    ' In these two runs theory is not borne out: they are short, and chance has its share. Try another seed.'}
                </p>
              )}
            </div>
          )}
        </div>
      </div>
    </section>
  );
}
