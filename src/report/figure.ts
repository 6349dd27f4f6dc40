/** Figures as files of their own: panels on a grid in one SVG, with the page's colours written out, so that any program can draw it. */
import { escapeText } from './html.ts';

export interface FigurePart {
  /** A whole <svg> element. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

export interface FigureRow {
  readonly heading: string;
  /** One for each column; null leaves its place empty. */
  readonly parts: readonly (FigurePart | null)[];
}

export interface Figure {
  /** For the file: "curves". */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly FigureRow[];
  /** One line each, under the rows. */
  readonly notes?: readonly string[];
}

/** The page's colours on paper; report/style.ts has them as variables. */
const COLOURS: Readonly<Record<string, string>> = {
  paper: '#ffffff',
  ink: '#22262b',
  quiet: '#646a72',
  saliency: '#0072b2',
  class: '#c94f00',
  rate: '#b9bdc3',
};

const MARGIN = 24;
const GAP = 14;
const TITLE = 34;
const HEADING = 22;
const LINE = 18;
const FONT = 'Open Sans, Noto Sans, Arial, sans-serif';

const text = (x: number, y: number, content: string, style: string) =>
  `<text x="${x}" y="${y}" ${style}>${escapeText(content)}</text>`;

/** No variable is left, because only browsers know them; and powers of ten in letters that every font has: 2e-3. */
const resolved = (svg: string) =>
  svg
    .replace(/var\(--(\w+)\)/g, (_, name: string) => COLOURS[name] ?? COLOURS.ink)
    .replace(
      /(?:(\d)\u00b7)?10(\u207b?)([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)/g,
      (_, factor: string, minus: string, digits: string) => {
        const exponent = [...digits]
          .map((digit) => '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'.indexOf(digit))
          .join('');
        return `${factor ?? 1}e${minus ? '-' : ''}${exponent}`;
      },
    );

/** About how wide a line of this size is; generous, so that notes stay inside. */
function wrapped(note: string, width: number, size: number): string[] {
  const most = Math.max(20, Math.floor(width / (size * 0.52)));
  const lines = [''];
  for (const word of note.split(' ')) {
    const line = lines[lines.length - 1];
    if (line && line.length + word.length + 1 > most) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

export function figureSvg({ title, columns, rows, notes = [] }: Figure): string {
  const widths = columns.map((_, i) => Math.max(...rows.map(({ parts }) => parts[i]?.width ?? 0)));
  const lefts = widths.map((_, i) => MARGIN + widths.slice(0, i).reduce((sum, one) => sum + one + GAP, 0));
  const width = Math.max(360, lefts[lefts.length - 1] + widths[widths.length - 1] + MARGIN);
  const drawn: string[] = [text(MARGIN, MARGIN + 12, title, 'font-size="16" font-weight="700"')];
  let y = MARGIN + TITLE;
  columns.forEach((column, i) => {
    drawn.push(text(lefts[i], y, column, `font-size="12" font-weight="700"`));
  });
  y += 8;
  for (const { heading, parts } of rows) {
    if (heading) drawn.push(text(MARGIN, y + 14, heading, `font-size="12" fill="${COLOURS.quiet}"`));
    if (heading) y += HEADING;
    parts.forEach((part, i) => {
      if (part)
        drawn.push(
          `<svg x="${lefts[i]}" y="${y}" width="${part.width}" height="${part.height}">${resolved(part.svg)}</svg>`,
        );
    });
    y += Math.max(...parts.map((part) => part?.height ?? 0)) + GAP;
  }
  for (const line of notes.flatMap((note) => wrapped(note, width - 2 * MARGIN, 11))) {
    y += LINE;
    drawn.push(text(MARGIN, y - 6, line, `font-size="11" fill="${COLOURS.quiet}"`));
  }
  const height = Math.ceil(y + MARGIN - GAP / 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" fill="${COLOURS.ink}" color="${COLOURS.ink}">`,
    `<rect width="${width}" height="${height}" fill="${COLOURS.paper}"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}
