/**
 * What each scheme takes for what: films by true class (rows) and predicted class (columns), summed over seeds.
 */
import { html, type Markup } from './html.ts';
import type { Scheme } from './input.ts';
import { className } from './metrics.ts';
import { count, isNumber, percent } from './numbers.ts';

export function sumConfusion({ runs }: Scheme): number[][] | null {
  const matrices = runs.flatMap(({ evaluation }) =>
    evaluation.classification ? [evaluation.classification.confusion] : [],
  );
  if (matrices.length === 0) return null;
  return matrices[0].map((row, truth) =>
    row.map((_, said) =>
      matrices.reduce((sum, matrix) => sum + (isNumber(matrix[truth]?.[said]) ? matrix[truth][said] : 0), 0),
    ),
  );
}

function matrix(scheme: Scheme): Markup | null {
  const sums = sumConfusion(scheme);
  if (!sums) return null;
  const names = sums.map((_, i) => className(i, sums.length));
  return html`
        <table class="confusion">
          <caption>${scheme.label}${scheme.runs.length > 1 && html` <small>${count(scheme.runs.length, 'seed')} together</small>`}</caption>
          <thead>
            <tr><td></td><th scope="colgroup" colspan="${names.length}" class="axis">predicted</th></tr>
            <tr><th scope="col" class="axis">true</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr>
          </thead>
          <tbody>${sums.map((row, truth) => {
            const total = row.reduce((sum, value) => sum + value, 0);
            return html`
            <tr><th scope="row">${names[truth]}</th>${row.map((films, said) => {
              const share = total > 0 ? films / total : 0;
              return html`<td class="${truth === said && 'right'}" style="--share:${share.toFixed(3)}">${films}<small>${percent(total > 0 ? share : null)}</small></td>`;
            })}</tr>`;
          })}
          </tbody>
        </table>`;
}

export function confusion(schemes: readonly Scheme[]): Markup | null {
  const matrices = schemes.map(matrix);
  if (matrices.every((one) => one === null)) return null;
  return html`
    <section id="confusion" aria-labelledby="confusion-heading">
      <h2 id="confusion-heading">What is taken for what</h2>
      <p>
        Films of the test split; percentages are shares of a row, so the framed cells say how many films of a class were
        found. Look for a column that takes everything: a network that has only learnt one answer.
      </p>
      <div class="matrices">${matrices}
      </div>
    </section>`;
}
