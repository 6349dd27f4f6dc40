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
