/** What the documents say about the project is there: links lead somewhere, and the diff of the guide applies. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDERS = ['.', 'docs', 'experiments'];
const documents = FOLDERS.filter(existsSync).flatMap((folder) =>
  readdirSync(folder, { recursive: folder !== '.', encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('site'))
    .map((name) => join(folder, name)),
);

/** The anchor that GitHub and typedoc give a heading. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

describe.each(documents)('%s', (path) => {
  const text = readFileSync(path, 'utf8');

  it('has links that lead somewhere', () => {
    const dead = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^(https?:|mailto:)/.test(target))
      .filter((target) => {
        const [file, anchor] = target.split('#');
        const there = file === '' ? path : join(dirname(path), file);
        if (!existsSync(there)) return true;
        if (!anchor || !there.endsWith('.md')) return false;
        const headings = [...readFileSync(there, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
          anchorOf(heading),
        );
        return !headings.includes(anchor);
      });
    expect(dead).toEqual([]);
  });

  it('names files of the project that are there', () => {
    const named = [...text.matchAll(/`((?:src|test|docs|experiments|scripts)\/[\w./-]+)`/g)]
      .map(([, file]) => file)
      .filter((file) => !/[A-Z]{3,}/.test(file) && !file.startsWith('docs/site') && !existsSync(file));
    expect(named).toEqual([]);
  });
});

it('the diff of docs/guides/adding-an-op.md applies to the code as it is', () => {
  const [, diff] = /^```diff\n([\s\S]*?)^```$/m.exec(readFileSync('docs/guides/adding-an-op.md', 'utf8'))!;
  execFileSync('git', ['apply', '--check', '-'], { input: diff, encoding: 'utf8' });
});
