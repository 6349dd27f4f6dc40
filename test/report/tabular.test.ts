import { expect, it } from 'vitest';
import { cell, csvOf, escapeLatex, htmlTable, latexOf, markdownOf, type TableData } from '../../src/report/tabular.ts';

const table: TableData = {
  id: 'verdicts',
  caption: 'Table 1: 100 % & more',
  columns: [{ label: 'row' }, { label: 'KLD \u2193', align: 'right' }],
  rows: [
    [cell('MT-UNet, "B"'), cell('0.726', { spread: '\u00b1 0.004', best: true })],
    [cell('a|b_c <x>'), cell('\u22120.100', { tone: 'bad' })],
  ],
  notes: ['p < 0.05'],
};

it('CSV quotes what needs it and knows plain minus signs', () => {
  expect(csvOf(table)).toBe('row,KLD \u2193\r\n"MT-UNet, ""B""",0.726 \u00b1 0.004\r\na|b_c <x>,-0.100\r\n');
});

it('Markdown lets no data be markup', () => {
  expect(markdownOf(table).split('\n')).toEqual([
    '| row | KLD \u2193 |',
    '| --- | ---: |',
    '| MT-UNet, "B" | **0.726** \u00b1 0.004 |',
    '| a\\|b\\_c &lt;x&gt; | \u22120.100 |',
    '',
    'p &lt; 0.05',
  ]);
});

it('LaTeX is a booktabs table in ASCII', () => {
  const latex = latexOf(table);
  expect(latex).toContain('\\caption{Table 1: 100 \\% \\& more}');
  expect(latex).toContain('\\begin{tabular}{lr}\n    \\toprule\n    row & KLD $\\downarrow$ \\\\\n    \\midrule');
  expect(latex).toContain('MT-UNet, "B" & \\textbf{0.726} $\\pm$ 0.004 \\\\');
  expect(latex).toContain('a$|$b\\_c $<$x$>$ & $-$0.100');
  expect(latex).toMatch(/\\bottomrule\s+\\end\{tabular\}[\s\S]*\\end\{table\}\n$/);
  expect(latex).toMatch(/^[\x20-\x7e\n]*$/);
  expect(escapeLatex('\\~^{}$#')).toBe('\\textbackslash{}\\textasciitilde{}\\textasciicircum{}\\{\\}\\$\\#');
});

it('HTML escapes, and names the row', () => {
  const { text } = htmlTable(table);
  expect(text).toContain('<th scope="row">a|b_c &lt;x&gt;</th>');
  expect(text).toContain('<td class="right bad">');
});
