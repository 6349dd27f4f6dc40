/**
 * The shell of a page that needs nothing but itself: head, style, header with links to its sections, footer.
 */
import { type Child, html } from './html.ts';
import { style } from './style.ts';

export interface Section {
  /** Of the element, for the links of the header. */
  readonly id: string;
  readonly name: string;
  /** null: the section is left out. */
  readonly content: Child;
}

export interface PageOptions {
  readonly title: string;
  readonly subtitle: string;
  readonly sections: readonly Section[];
  readonly footer: Child;
}

// A second lock behind the escaping: nothing is fetched and no script runs, whatever a record may contain.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export function page({ title, subtitle, sections, footer }: PageOptions): string {
  const shown = sections.filter(({ content }) => content !== null);
  const markup = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${POLICY}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    ${style}
  </head>
  <body>
    <header>
      <h1>${title}</h1>
      <p>${subtitle}</p>
      <nav aria-label="Sections">${shown.map(({ id, name }) => html`<a href="#${id}">${name}</a> `)}</nav>
    </header>
    <main>${shown.map(({ content }) => content)}
    </main>
    <footer>${footer}</footer>
  </body>
</html>
`;
  return markup.text;
}
