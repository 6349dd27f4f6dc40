/** Configurations: presets, overrides, and errors that name the path, the value and the reason. */
import { expect, it } from 'vitest';
import { presets, resolveConfig } from '../../src/mtunet/config.ts';

it.each(Object.keys(presets))('preset %s is valid and keeps its name', (name) => {
  expect(resolveConfig(name).preset).toBe(name);
});

it('overrides one value and leaves its neighbours', () => {
  const config = resolveConfig('tiny', { scheme: { name: 'mtls1' }, seed: 7 });
  expect(config.scheme).toEqual({ ...presets.tiny.scheme, name: 'mtls1' });
  expect(config.seed).toBe(7);
  expect(config.network).toEqual(presets.tiny.network);
});

it.each([
  [{ height: 100 }, /height 100 is not a multiple of 16.*use 96/],
  [{ scheme: { name: 'mtls9' } }, /scheme\.name/],
  [{ network: { name: 'resnet51' } }, /network\.name.*"resnet50".*, not "resnet51"\.$/],
  [{ epochs: 0 }, /epochs.*, not 0\.$/],
  [{ learningRate: 1 }, /learningRate/],
  [{ optimizer: { learningRate: 'fast' } }, /optimizer\.learningRate/],
])('refuses %j with its path', (overrides, message) => {
  expect(() => resolveConfig('tiny', overrides)).toThrow(message);
});

it('refuses an unknown preset by listing the known ones', () => {
  expect(() => resolveConfig('huge')).toThrow(/huge.*tiny, small, paper, released/);
});

it('leaves Object.prototype alone', () => {
  expect(() => resolveConfig('tiny', JSON.parse('{"__proto__": {"polluted": true}}'))).toThrow();
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('has options for every scheme, and refuses a scheme that is not there by naming those that are', () => {
  expect(resolveConfig('released').scheme).toMatchObject({ halfSaliency: true, fixedTerm: true });
  expect(resolveConfig('tiny', { scheme: { name: 'dwa', temperature: 0.5 } }).scheme.temperature).toBe(0.5);
  expect(() => resolveConfig('tiny', { scheme: { name: 'magic' } })).toThrow(/scheme\.name.*nash/);
});
