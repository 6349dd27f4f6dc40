/** WGSL text as tokens with their places. */
export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Token extends Place {
  readonly kind: 'word' | 'number' | 'sign' | 'end';
  readonly text: string;
}

/** Why a shader is not compiled, and where: "12:7 unknown name "x"". */
export class WgslError extends Error {
  override readonly name = 'WgslError';
  constructor({ line, column }: Place, problem: string) {
    super(`${line}:${column} ${problem}`);
  }
}

const TOKEN =
  /([A-Za-z_]\w*)|(0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?[iufh]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?)|(<<=|>>=|->|&&|\|\||<<|>>|<=|>=|==|!=|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[-+*/%&|^~!<>=.,:;@(){}[\]])/y;

export function tokensOf(code: string): Token[] {
  const tokens: Token[] = [];
  let [at, line, lineStart] = [0, 1, 0];
  const place = (): Place => ({ line, column: at - lineStart + 1 });
  const skipTo = (end: number) => {
    for (; at < end; at++) {
      if (code[at] !== '\n') continue;
      line++;
      lineStart = at + 1;
    }
  };
  while (at < code.length) {
    if (/\s/.test(code[at])) {
      skipTo(at + 1);
    } else if (code.startsWith('//', at)) {
      const end = code.indexOf('\n', at);
      at = end < 0 ? code.length : end;
    } else if (code.startsWith('/*', at)) {
      skipTo(endOfComment(code, at, place()));
    } else {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(code);
      if (!match) throw new WgslError(place(), `"${code[at]}" is no part of WGSL`);
      const [text, word, number] = match;
      tokens.push({ kind: word ? 'word' : number ? 'number' : 'sign', text, ...place() });
      at += text.length;
    }
  }
  tokens.push({ kind: 'end', text: 'the end of the text', ...place() });
  return tokens;
}

/** Block comments nest. */
function endOfComment(code: string, start: number, place: Place): number {
  let depth = 0;
  for (let i = start; i < code.length - 1; i++) {
    const pair = code.slice(i, i + 2);
    if (pair === '/*') depth++;
    else if (pair === '*/') depth--;
    else continue;
    i++;
    if (depth === 0) return i + 1;
  }
  throw new WgslError(place, 'this comment is not closed');
}

/** The value of a number's text, without its suffix; hexadecimal floats included. */
export function numberOf(text: string): number {
  if (!/^0[xX]/.test(text)) return Number(text);
  const [, whole, fraction = '', exponent = '0'] =
    /^0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)(?:[pP]([+-]?\d+))?$/.exec(text) ?? [];
  return Number(`0x${whole}${fraction}` || '0') * 2 ** (Number(exponent) - 4 * fraction.length);
}
