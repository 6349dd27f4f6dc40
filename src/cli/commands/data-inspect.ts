/** mtunet data inspect: what the program makes of a picture file. */
import type { Command } from 'commander';
import type { Film } from '../../data/film.ts';
import { readFilm } from '../../data/film-file.ts';
import { inspection, type PictureInspection, valueRows } from '../../data/film-inspection.ts';
import { type InputDescription, inputSize, networkInput } from '../../data/picture-input.ts';
import { EXIT, sentence } from '../failure.ts';
import { describeInput, inputHash, inputOf } from '../input-of.ts';
import { note } from '../messages.ts';
import { readWhole } from '../source-files.ts';

interface Options {
  json?: boolean;
  values?: boolean;
  for?: string;
}

/** What a run's network sees of the picture. */
interface NetworkInput {
  readonly input_height: number;
  readonly input_width: number;
  /** Of the float32 values, little endian, row by row. */
  readonly input_sha256: string;
  /** How the picture becomes it. */
  readonly input: InputDescription;
}

/** One file's part of the JSON. */
type Entry = ((PictureInspection & Partial<NetworkInput>) | { readonly file: string; readonly error: string }) & {
  /** Whose values are part of it. */
  readonly film?: Film;
};

/** JSON holds the values of pictures of at most so many pixels without being asked: 256 x 256. */
const SMALL = 65_536;

export function registerInspect(data: Command): void {
  data
    .command('inspect')
    .argument('<file...>', 'DICOM, PNG or JPEG, known by their contents')
    .description('what the program makes of a picture: size, bits, polarity, rescale, padding, what is ignored, values')
    .option(
      '--values',
      'also print the values: row by row, before polarity, with a rescale of the file applied and padding as stored',
    )
    .option(
      '--for <folder>',
      "also tell the input that this run's network sees, or one trained on this prepared data: its size and the SHA-256 of its float32 bytes",
    )
    .option('--json', `print JSON: an object for one file, an array for several; with the values up to ${SMALL} pixels`)
    .addHelpText(
      'after',
      `
A file that cannot be read is an entry with "file" and "error" in JSON; the others are still shown and the exit code is 1.
A small picture's values are part of the JSON; those of larger ones need --values.

Examples:
  mtunet data inspect chest.dcm
  mtunet data inspect chest.dcm --json --values > chest.json
  mtunet data inspect chest.dcm --for runs/first`,
    )
    .action(inspect);
}

async function inspect(files: string[], { json, values, for: reader }: Options): Promise<void> {
  const description = reader === undefined ? null : inputOf(reader);
  const entries: Entry[] = [];
  for (const file of files) {
    try {
      const film = await readFilm(file, readWhole(file));
      const input = description && inputFor(film, description);
      const entry = { ...inspection(file, film), ...input };
      if (json) entries.push({ ...entry, ...((values || film.pixels.length <= SMALL) && { film }) });
      else print(entry, film, values === true);
    } catch (error) {
      const reason = sentence(error);
      note(`mtunet: ${reason}`);
      process.exitCode = EXIT.failure;
      entries.push({ file, error: reason });
    }
  }
  if (json) console.log(jsonOf(entries, files.length > 1));
}

function inputFor(film: Film, input: InputDescription): NetworkInput {
  const { height, width } = inputSize(input);
  return { input_height: height, input_width: width, input_sha256: inputHash(networkInput(film, input)), input };
}

/** Indented, but for the values: they take one line, and are not turned into a list of strings first. */
function jsonOf(entries: readonly Entry[], isList: boolean): string {
  const named = entries.map(({ film, ...entry }, i) => ({ ...entry, ...(film && { values: `#${i}` }) }));
  return JSON.stringify(isList ? named : named[0], null, 2).replace(
    /(?<="values": )"#(\d+)"/g,
    (_, i) => `[${entries[Number(i)].film!.details.values().join(',')}]`,
  );
}

function print(entry: PictureInspection & Partial<NetworkInput>, film: Film, withValues: boolean): void {
  const line = (what: string, value: string) => console.log(`  ${what.padEnd(10)}${value}`);
  console.log(entry.file);
  const { transferSyntax, allocated, highBit, rescale, padding, window, ignored, least, largest } = entry;
  line('kind', entry.kind + (transferSyntax ? `, ${transferSyntax.name} (${transferSyntax.uid})` : ''));
  line('size', `${entry.height} rows x ${entry.width} columns`);
  line(
    'bits',
    `${entry.bits} stored of ${allocated} allocated, high bit ${highBit}, ${entry.signed ? 'signed' : 'unsigned'}`,
  );
  line('polarity', `${entry.photometric}: the least value is ${entry.inverted ? 'white' : 'black'}`);
  line('rescale', rescale ? `slope ${rescale.slope}, intercept ${rescale.intercept}` : 'none');
  line('padding', padding ? paddingText(padding, entry.paddedPixels) : 'none');
  line('window', window ? `center ${window.center}, width ${window.width}, ${window.shape}` : 'none');
  line('ignored', ignored.length === 0 ? 'nothing' : ignored.join('; '));
  line(
    'values',
    least === null ? 'nothing but padding' : `${least} to ${largest}${entry.paddedPixels > 0 ? ', padding aside' : ''}`,
  );
  if (entry.input) {
    line('input', describeInput(entry.input));
    line('', `SHA-256 of its float32 bytes ${entry.input_sha256}`);
  }
  if (withValues) for (const row of valueRows(film)) console.log(row.join(' '));
}

function paddingText([from, to]: readonly [number, number], pixels: number): string {
  return `${from === to ? `stored value ${from}` : `stored values ${from} to ${to}`}: ${pixels} pixel${pixels === 1 ? '' : 's'}`;
}
