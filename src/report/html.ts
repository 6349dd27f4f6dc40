/**
 * A tagged template for markup that escapes whatever is put into it.
 *
 *     html`<td title="${name}">${value}</td>`
 *
 * Escaped text may stand between tags and inside double-quoted attributes, nowhere else: not in a style, a script or a
 * tag's name. Lists are joined; null, undefined and false vanish; markup made by `html` or `trusted` passes unchanged.
 */

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Child = Markup | string | number | boolean | null | undefined | readonly Child[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

// Control characters (but tab and line breaks) and lone surrogates are not allowed in HTML at all.
const FORBIDDEN = /(?![\t\n\r])\p{Control}|\p{Surrogate}/gu;

export function escapeText(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function render(child: Child): string {
  if (child === null || child === undefined || typeof child === 'boolean') return '';
  if (child instanceof Markup) return child.text;
  if (Array.isArray(child)) return child.map(render).join('');
  return escapeText(String(child));
}

export function html(strings: TemplateStringsArray, ...children: readonly Child[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + render(children[i - 1]) + part));
}

/** For markup written in this folder, or serialized from nodes that hold no text of a data set's. */
export function trusted(markup: string): Markup {
  return new Markup(markup);
}

/** Children with a separator between them. */
export function join(children: readonly Child[], separator: Child): Child[] {
  return children.flatMap((child, i) => (i === 0 ? [child] : [separator, child]));
}
