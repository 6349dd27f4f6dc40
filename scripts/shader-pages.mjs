/** Writes a page for each .wgsl file into docs/shaders: its opening words, bindings, entry points and text. `npm run docs` calls it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const SHADERS = 'src/shaders';
const PAGES = 'docs/shaders';

/** Comment lines as Markdown: what is indented is code, with an empty line on either side. */
function prose(lines) {
  const indented = (line) => line !== undefined && /^ {2,}/.test(line);
  return lines
    .flatMap((line, i) => (i > 0 && indented(line) !== indented(lines[i - 1]) ? ['', line] : [line]))
    .map((line) => (indented(line) ? `  ${line}` : line))
    .join('\n');
}

/** The page of one shader, in Markdown. */
export function shaderPage(name, code) {
  const lines = code.split('\n');
  const opening = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  const cell = (text) => text.replaceAll('|', '\\|').trim();
  const bindings = [
    ...code.matchAll(/@binding\((\d+)\)\s*var<([^>]+)>\s*(\w+)\s*:\s*([^;]+);(?:[^\S\n]*\/\/(.*))?/g),
  ].map(
    ([, number, space, role, type, note]) =>
      `| ${number} | \`${role}\` | \`${type}\` | ${space} | ${cell(note ?? '')} |`,
  );
  const entries = [...code.matchAll(/((?:^\/\/.*\n)*)^@compute @workgroup_size\(([^)]*)\)\s*fn (\w+)/gm)].map(
    ([, notes, size, entry]) => {
      const note = notes.replace(/^\/\/ ?/gm, '').replaceAll('\n', ' ');
      return `| \`${entry}\` | ${size} | ${cell(note)} |`;
    },
  );
  return [
    `# ${name}.wgsl`,
    prose(opening.map((line) => line.replace(/^\/\/ ?/, ''))),
    ...(bindings.length > 0
      ? [['| binding | name | type | space | |', '| --- | --- | --- | --- | --- |', ...bindings].join('\n')]
      : []),
    ...(entries.length > 0 ? [['| entry point | workgroup | |', '| --- | --- | --- |', ...entries].join('\n')] : []),
    `\`\`\`wgsl\n${lines.slice(opening.length).join('\n').trim()}\n\`\`\``,
  ].join('\n\n');
}

export function writeShaderPages() {
  rmSync(PAGES, { recursive: true, force: true });
  mkdirSync(PAGES, { recursive: true });
  const files = readdirSync(SHADERS, { recursive: true }).filter((file) => file.endsWith('.wgsl'));
  for (const file of files.sort()) {
    const name = file.replace(/\.wgsl$/, '');
    writeFileSync(
      join(PAGES, `${name.replace('/', '-')}.md`),
      `${shaderPage(name, readFileSync(join(SHADERS, file), 'utf8'))}\n`,
    );
  }
  return files.length;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  console.log(`${writeShaderPages()} shader pages in ${PAGES}`);
