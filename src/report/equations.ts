/**
 * The three schemes' objectives (Eq. 1, 4 and 5) and the effective learning rate (Appendix A), as MathML Core.
 */
import { type Child, html, type Markup, trusted } from './html.ts';

const letter = (name: string) => `<mi>${name}</mi>`;
const sign = (symbol: string) => `<mo>${symbol}</mo>`;
const number = (value: number) => `<mn>${value}</mn>`;
const sub = (base: string, index: string) => `<msub>${letter(base)}${letter(index)}</msub>`;
const squared = (base: string, index: string) => `<msubsup>${letter(base)}${letter(index)}${number(2)}</msubsup>`;
const fraction = (above: string, below: string) => `<mfrac><mrow>${above}</mrow><mrow>${below}</mrow></mfrac>`;
const loss = (task: string) => sub('L', task);
const weighted = (task: string) => fraction(loss(task), squared('\u03c3', task));
// U+2061, function application: ln is applied to, not multiplied by, its bracket.
const penalty = (task: string) =>
  `<mi>ln</mi><mo>\u2061</mo><mrow><mo>(</mo>${sub('\u03c3', task)}${sign('+')}${number(1)}<mo>)</mo></mrow>`;

function sum(...terms: readonly string[]): string {
  return terms.join(sign('+'));
}

function math(content: string, spoken: string, display: 'block' | 'inline' = 'block'): Markup {
  return html`<math display="${display}" aria-label="${spoken}"><mrow>${trusted(content)}</mrow></math>`;
}

const L_IS = `${letter('L')}${sign('=')}`;

interface Equation {
  readonly scheme: string;
  readonly source: string;
  readonly formula: Markup;
  readonly remark: Child;
}

const EQUATIONS: readonly Equation[] = [
  {
    scheme: 'MTLS1',
    source: 'Eq. 1',
    formula: math(
      L_IS + sum(weighted('s'), weighted('c'), penalty('s'), penalty('c')),
      'L equals L s over sigma s squared plus L c over sigma c squared plus log of sigma s plus 1 plus log of sigma c plus 1',
    ),
    remark: 'Both scales are learnt. When a loss falls, its scale follows, and the task learns still faster.',
  },
  {
    scheme: 'MTLS2',
    source: 'Eq. 4',
    formula: math(
      L_IS + sum(weighted('s'), loss('c'), penalty('s')),
      'L equals L s over sigma s squared plus L c plus log of sigma s plus 1',
    ),
    remark: html`${math(`${sub('\u03c3', 'c')}${sign('=')}${number(1)}`, 'sigma c equals 1', 'inline')} is fixed: the diagnosis keeps the plain rate.`,
  },
  {
    scheme: 'MTLS3',
    source: 'Eq. 5',
    formula: math(
      L_IS + sum(loss('s'), weighted('c'), penalty('c')),
      'L equals L s plus L c over sigma c squared plus log of sigma c plus 1',
    ),
    remark: html`${math(`${sub('\u03c3', 's')}${sign('=')}${number(1)}`, 'sigma s equals 1', 'inline')} is fixed: the saliency keeps the plain rate.`,
  },
];

export function equations(): Markup {
  const rate = math(
    `${sub('r', 'e')}${sign('=')}${fraction(letter('r'), `<msup>${letter('\u03c3')}${number(2)}</msup>`)}`,
    'r e equals r over sigma squared',
    'inline',
  );
  return html`
    <section id="equations" aria-labelledby="equations-heading">
      <h2 id="equations-heading">The three schemes</h2>
      <p>
        ${math(loss('s'), 'L s', 'inline')} is the saliency loss (the divergence of the gaze from the predicted map),
        ${math(loss('c'), 'L c', 'inline')} the class loss (cross-entropy), both in nats. A learnt scale
        ${math(letter('\u03c3'), 'sigma', 'inline')} divides a task\u2019s learning rate, ${rate}, and the logarithm keeps
        it from growing without end.
      </p>
      <div class="equations">${EQUATIONS.map(
        ({ scheme, source, formula, remark }) => html`
        <div class="equation">
          <h3>${scheme} <span class="source">${source}</span></h3>
          <div class="formula">${formula}</div>
          <p>${remark}</p>
        </div>`,
      )}
      </div>
      <p class="note">
        The released code has variants of these (half the saliency term, a constant for a fixed scale); each run\u2019s
        configuration below says which were used.
      </p>
    </section>`;
}
