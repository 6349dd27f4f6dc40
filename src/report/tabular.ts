/**
 * A table as data, and the four ways in which it is written: HTML, Markdown, CSV and LaTeX (booktabs).
 */
import { html, type Markup } from './html.ts';

export interface Cell {
  readonly text: string;
  /** Smaller, after the text: "± 0.004". */
  readonly spread?: string;
  readonly best?: boolean;
  /** good: as expected; bad: against it; quiet: says nothing. */
  readonly tone?: 'good' | 'bad' | 'quiet';
}

export interface Column {
  readonly label: string;
  readonly align?: 'left' | 'right';
}

export interface TableData {
  /** For files and labels: "verdicts". */
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  readonly notes?: readonly string[];
}

export const cell = (text: string, rest: Omit<Cell, 'text'> = {}): Cell => ({ text, ...rest });

const alignOf = ({ align = 'left' }: Column) => align;

export function htmlTable({ caption, columns, rows, notes = [] }: TableData): Markup {
  return html`
      <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
        <table class="data">
          <caption>${caption}</caption>
          <thead><tr>${columns.map((column) => html`<th scope="col" class="${alignOf(column)}">${column.label}</th>`)}</tr></thead>
          <tbody>${rows.map(
            (row) => html`
            <tr>${row.map(({ text, spread, best, tone }, i) => {
              const content = html`${best ? html`<strong>${text}</strong>` : text}${spread && html` <span class="spread">${spread}</span>`}`;
              return i === 0
                ? html`<th scope="row">${content}</th>`
                : html`<td class="${alignOf(columns[i])}${tone && ` ${tone}`}">${content}</td>`;
            })}</tr>`,
          )}
          </tbody>
        </table>
      </div>
      ${notes.map((note) => html`<p class="note">${note}</p>`)}`;
}

/** One line, in which no character of the data is taken for markup. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]|#~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}

export function markdownOf({ columns, rows, notes = [] }: TableData): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const write = ({ text, spread, best }: Cell) => {
    const escaped = escapeMarkdown(text);
    return `${best ? `**${escaped}**` : escaped}${spread ? ` ${escapeMarkdown(spread)}` : ''}`;
  };
  return [
    line(columns.map(({ label }) => escapeMarkdown(label))),
    line(columns.map((column) => (alignOf(column) === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(write))),
    ...notes.flatMap((note) => ['', escapeMarkdown(note)]),
  ].join('\n');
}

/** RFC 4180, the spread in the cell of its value; the signs of minus and of nothing as a program expects them. */
export function csvOf({ columns, rows }: TableData): string {
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const plain = (text: string) => text.replaceAll('\u2212', '-').replace(/^(n\/a|\u2013)$/, '');
  const write = ({ text, spread }: Cell) => quoted(plain(spread ? `${text} ${spread}` : text));
  return [columns.map(({ label }) => quoted(label)), ...rows.map((row) => row.map(write))]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('');
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '\u00b1': '$\\pm$',
  '\u2212': '$-$',
  '\u2013': '--',
  '\u2191': '$\\uparrow$',
  '\u2193': '$\\downarrow$',
  '\u03c3': '$\\sigma$',
  '\u03b1': '$\\alpha$',
  '\u00d7': '$\\times$',
  '\u2264': '$\\leq$',
  '\u2265': '$\\geq$',
  '\u00b7': '$\\cdot$',
  '\u2026': '\\ldots{}',
  '\u2019': "'",
  '\u0394': '$\\Delta$',
  '<': '$<$',
  '>': '$>$',
  '|': '$|$',
};

export function escapeLatex(text: string): string {
  return [...text.replace(/\s+/g, ' ')].map((c) => LATEX[c] ?? (/[&%$#_{}]/.test(c) ? `\\${c}` : c)).join('');
}

/** A table environment; needs \usepackage{booktabs}. */
export function latexOf({ id, caption, columns, rows, notes = [] }: TableData): string {
  const write = ({ text, spread, best }: Cell) =>
    `${best ? `\\textbf{${escapeLatex(text)}}` : escapeLatex(text)}${spread ? ` ${escapeLatex(spread)}` : ''}`;
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`;
  return [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\label{tab:${id}}`,
    `  \\begin{tabular}{${columns.map((column) => alignOf(column)[0]).join('')}}`,
    '    \\toprule',
    line(columns.map(({ label }) => escapeLatex(label))),
    '    \\midrule',
    ...rows.map((row) => line(row.map(write))),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...notes.map((note) => `  \\par\\smallskip\\footnotesize ${escapeLatex(note)}`),
    '\\end{table}',
    '',
  ].join('\n');
}
