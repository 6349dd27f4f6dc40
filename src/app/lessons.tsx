/** Five exercises: a set-up, a prediction, then what the runs on this machine say. */
import { useState } from 'preact/hooks';
import { LESSONS } from './lesson-plans.ts';
import type { State, Store } from './store.ts';

export function Lessons({ store, state }: { store: Store; state: State }) {
  const [open, setOpen] = useState(0);
  const [started, setStarted] = useState(false);
  const [guess, setGuess] = useState<number | null>(null);
  const lesson = LESSONS[open];
  const choose = (index: number) => {
    setOpen(index);
    setGuess(null);
    setStarted(false);
  };
  const reached = store.step >= lesson.steps && started;
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
              <input type="radio" name="answer" checked={guess === i} onChange={() => setGuess(i)} /> {answer}
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button
            type="button"
            class="primary"
            disabled={guess === null || state.mode !== 'live'}
            onClick={() => {
              setStarted(true);
              store.reset({ ...lesson.setUp, size: state.settings.size });
              store.toggle();
            }}
          >
            Set it up and play {lesson.steps} steps
          </button>
          {state.mode !== 'live' && (
            <button type="button" disabled={guess === null} onClick={() => setStarted(true)}>
              Reveal
            </button>
          )}
          {started && state.mode === 'live' && (
            <span class="quiet">
              step {Math.min(store.step, lesson.steps)} of {lesson.steps}
            </span>
          )}
        </div>
        <div aria-live="polite">
          {(reached || (started && state.mode !== 'live')) && guess !== null && (
            <div class="reveal">
              <p>
                <b>
                  {guess === lesson.expected
                    ? 'As you predicted.'
                    : `Theory says: ${lesson.answers[lesson.expected].toLowerCase()}.`}
                </b>{' '}
                {lesson.why}
              </p>
              {state.mode === 'live' && (
                <p class="finding">
                  Measured here, now. {lesson.measured(state)}
                  {lesson.holds?.(state) === false &&
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
