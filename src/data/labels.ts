/** Labels as people type them: what surrounds them is left out, and those that look like spellings of one are named. */

/** Without white space around it: blanks, no-break spaces, line ends, a byte order mark. */
export const trimmed = (text: string): string =>
  text.replace(/^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$/gu, '').normalize('NFC');

/** What stays of a label when case, accents, blanks and punctuation do not count. */
function skeleton(label: string): string {
  const folded = label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  return folded || label; // a label of punctuation alone is like no other
}

/** Groups of two and more labels that are perhaps meant as one. */
export function nearDuplicates(labels: Iterable<string>): string[][] {
  const groups = new Map<string, string[]>();
  for (const label of new Set(labels)) {
    const key = skeleton(label);
    groups.set(key, [...(groups.get(key) ?? []), label]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** A sentence for each group, with the remedy. */
export const labelWarnings = (labels: Iterable<string>): string[] =>
  nearDuplicates(labels).map(
    (group) =>
      `the labels ${group.map((label) => JSON.stringify(label)).join(' and ')} are ${group.length} classes; if they mean the same, write them alike in the table of labels and prepare the data again.`,
  );
