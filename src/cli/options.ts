/** Parsers of option values for commander. */
import { InvalidArgumentError } from 'commander';

export function whole(smallest: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < smallest)
      throw new InvalidArgumentError(`It must be a whole number from ${smallest}.`);
    return value;
  };
}

export function oneOrThree(text: string): 1 | 3 {
  if (text !== '1' && text !== '3') throw new InvalidArgumentError('It must be 1 or 3.');
  return text === '1' ? 1 : 3;
}
