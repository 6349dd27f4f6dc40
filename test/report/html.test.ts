import { describe, expect, test } from 'vitest';
import { escapeText, html, join, trusted } from '../../src/report/html.ts';

describe('html', () => {
  test('escapes what is put in, in text and in quoted attributes', () => {
    const evil = `"><script>alert('x')</script>&`;
    expect(html`<td title="${evil}">${evil}</td>`.text).toBe(
      '<td title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</td>',
    );
  });

  test('passes markup of its own once, joins lists and drops what is absent', () => {
    const items = ['a', 'b<'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}${null}${undefined}${false}${[1, [2]]}</ul>${trusted('<hr>')}`.text).toBe(
      '<ul><li>a</li><li>b&lt;</li>12</ul><hr>',
    );
    expect(html`${join(['a', 'b'], html`<br>`)}`.text).toBe('a<br>b');
  });

  test('replaces characters that HTML does not allow', () => {
    expect(escapeText('a\u0000b\u001bc\td\ne\ud800f')).toBe('a\ufffdb\ufffdc\td\ne\ufffdf');
    expect(escapeText('\u03c3 \u{1f600}')).toBe('\u03c3 \u{1f600}');
  });
});
