/** Sums, means and maxima over named axes. */
import { eachIndex, map, positionOf, type Values, zeros } from './values.ts';

/** For each place of the output, the positions of the input that are reduced to it. */
function gathered({ axes, shape }: Values, letters: string): { output: Values; members: number[][] } {
  const kept = [...axes].map((_, i) => i).filter((i) => !letters.includes(axes[i]));
  const output = zeros(
    kept.map((i) => axes[i]).join(''),
    kept.map((i) => shape[i]),
  );
  const members = Array.from(output.data, () => [] as number[]);
  eachIndex(shape, (index, position) => {
    const place = positionOf(
      output,
      kept.map((i) => index[i]),
    );
    members[place].push(position);
  });
  return { output, members };
}

export function sum(input: Values, letters = input.axes): Values {
  const { output, members } = gathered(input, letters);
  members.forEach((positions, place) => {
    for (const position of positions) output.data[place] += input.data[position];
  });
  return output;
}

export function mean(input: Values, letters = input.axes): Values {
  const total = sum(input, letters);
  return map(total, (x) => x / (input.data.length / total.data.length));
}

export function max(input: Values, letters = input.axes): Values {
  const { output, members } = gathered(input, letters);
  members.forEach((positions, place) => {
    output.data[place] = Number.NEGATIVE_INFINITY;
    for (const position of positions) output.data[place] = Math.max(output.data[place], input.data[position]);
  });
  return output;
}

/** Ties share the gradient equally. */
export function maxGradient(input: Values, upstream: Values, letters = input.axes): Values {
  const { members } = gathered(input, letters);
  const largest = max(input, letters);
  const gradient = zeros(input.axes, input.shape);
  members.forEach((positions, place) => {
    const winners = positions.filter((position) => input.data[position] === largest.data[place]);
    for (const position of winners) gradient.data[position] = upstream.data[place] / winners.length;
  });
  return gradient;
}
