/** An id in a table that is perhaps meant for another: cut short, in another case, with or without folder or ending. */

const SHORTEST = 6;

/** The ids of `table` that look like `wanted`, the most similar first. */
export function nearMatches(wanted: string, table: Iterable<string>): string[] {
  const plain = (id: string) =>
    id
      .trim()
      .toLowerCase()
      .replace(/^.*[\\/]/, '')
      .replace(/\.(dcm|dicom|png|jpe?g)$/, '');
  const target = plain(wanted);
  const found: { id: string; rank: number }[] = [];
  for (const id of table) {
    if (id === wanted) continue;
    const other = plain(id);
    if (other === '') continue;
    if (other === target) found.push({ id, rank: 0 });
    else if (Math.min(other.length, target.length) < SHORTEST) continue;
    else if (target.startsWith(other) || other.startsWith(target))
      found.push({ id, rank: Math.abs(other.length - target.length) });
    else if (target.endsWith(other) || other.endsWith(target))
      found.push({ id, rank: Math.abs(other.length - target.length) + 1 });
  }
  return found.sort((a, b) => a.rank - b.rank).map(({ id }) => id);
}

/** A sentence's middle for a case without gaze: what to do about it. */
export function missingGaze(wanted: string, tableName: string, table: Iterable<string>): string {
  const [near] = nearMatches(wanted, table);
  if (near === undefined)
    return `${tableName} has no row for it; add its rows, or leave the film out of the table of films`;
  const cut = near.length < wanted.length ? ', which may be this id cut short' : '';
  return `${tableName} has no row for it, but rows for "${near}"${cut}; write the id in full there`;
}
