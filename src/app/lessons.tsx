/** Five exercises: a set-up, a prediction, then what the runs on this machine say. */
import { useEffect, useState } from 'preact/hooks';
import { LESSONS } from './lesson-plans.ts';
import type { State, Store } from './store.ts';
import { toHash } from './url.ts';

export function Lessons({ store, state }: { store: Store; state: State }) {
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
  const staged = { ...lesson.setUp, size: state.settings.size };
  // Another set-up, made by hand meanwhile, is not the lesson's.
  const kept = started === store.resets && toHash(state.settings) === toHash(staged);
  const reached = live && kept && store.step >= lesson.steps;
  useEffect(() => {
    if (reached && store.state.playing) store.toggle();
  }, [reached, store]);
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
              store.reset(staged);
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
