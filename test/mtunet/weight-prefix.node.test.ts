/** Names behind a prefix, and the dict of a file that is the network. */
import { describe, expect, it } from 'vitest';
import { deviations } from '../../src/mtunet/weight-fit.ts';
import { fittingDict } from '../../src/mtunet/weight-prefix.ts';
import { fitAgain, network, numbered, renamed } from '../support/numbered-network.ts';

describe('a prefix before the names of a network', () => {
  it.each(['net.', 'model.', 'backbone.', 'module._orig_mod.model.', 'model.module.', 'a.b.c.'])(
    '%s is left out and told, and what lies beside it is listed',
    (prefix) => {
      using model = network('mt-unet');
      const state = numbered(model);
      const given = renamed(state, (own) => prefix + own);
      const tensors = new Map([...given.tensors, ['criterion.weight', { shape: [3], values: new Float32Array(3) }]]);
      const fit = fitAgain('mt-unet', model, { ...given, tensors });
      expect(fit.prefix).toBe(prefix);
      expect(fit.state).toEqual(state);
      expect(fit.ignored).toEqual(['criterion.weight']);
      expect(deviations(fit)).toEqual(['ignored: criterion.weight']);
    },
  );

  it('is not seen where the names fit as they are, or where few of them would', () => {
    using model = network('mt-unet');
    const state = numbered(model);
    const beside = { shape: [2], values: new Float32Array(2) };
    const given = { ...state, tensors: new Map([...state.tensors, ['x.Conv1.0.bias', beside]]) };
    expect(fitAgain('mt-unet', model, given)).toMatchObject({ prefix: '', ignored: ['x.Conv1.0.bias'] });
    const few = new Map([...state.tensors].slice(0, 3).map(([name, tensor]) => [`x.${name}`, tensor]));
    expect(() => fitAgain('mt-unet', model, { tensors: few, counters: new Map() })).toThrow(
      /None of the file's 3 tensors/,
    );
  });

  it('of two networks in one file is refused, and so is a shape that disagrees behind it', () => {
    using model = network('mt-unet');
    const state = numbered(model);
    const twice = [...state.tensors].flatMap(([name, tensor]) => [
      [`student.${name}`, tensor] as const,
      [`teacher.${name}`, tensor] as const,
    ]);
    expect(() => fitAgain('mt-unet', model, { tensors: new Map(twice), counters: new Map() })).toThrow(
      /behind "student\." and behind "teacher\." fit equally well/,
    );
    using wider = network('mt-unet', { base: 3 });
    const behind = renamed(numbered(wider), (own) => `net.${own}`);
    expect(() => fitAgain('mt-unet', model, behind)).toThrow(/\[3, 1, 3, 3\] in the file and \[2, 1, 3, 3\]/);
  });
});

it('takes the dict of tensors whose names fit the network, and the network rather than its running mean', () => {
  using model = network('mt-unet');
  const names = [...model.entries()].map(({ name }) => name);
  const choose = fittingDict('mt-unet', new Set(names));
  const dict = (key: string, own: readonly string[]) => ({ key, names: own });
  const wrapped = dict(
    'state_dict',
    names.map((name) => `model.${name}`),
  );
  expect(choose([dict('', ['best_acc1', 'loss']), dict('optimizer.state.0', ['exp_avg']), wrapped])).toBe(wrapped);
  const [mean, own] = [dict('model_ema', names), dict('model', names)];
  expect(choose([mean, own])).toBe(own);
  expect(choose([dict('', ['a', 'b'])])).toBeNull();
});
