/** Configurations: presets, overrides, and errors that name the path, the value and the reason. */
import { expect, it } from 'vitest';
import { presets, resolveConfig, schemeConfig } from '../../src/mtunet/config.ts';

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
  [{ epochs: 0 }, /epochs/],
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

it('gives the schemes their sigmas: Eq. 4 fixes the class sigma, Eq. 5 the saliency sigma', () => {
  const of = (name: 'mtls1' | 'mtls2' | 'mtls3') => schemeConfig(resolveConfig('paper', { scheme: { name } }));
  expect(of('mtls1')).toMatchObject({ saliencySigma: 'learnt', classSigma: 'learnt', halfSaliency: false });
  expect(of('mtls2')).toMatchObject({ saliencySigma: 'learnt', classSigma: 'fixed' });
  expect(of('mtls3')).toMatchObject({ saliencySigma: 'fixed', classSigma: 'learnt' });
  expect(schemeConfig(resolveConfig('released'))).toMatchObject({ halfSaliency: true, fixedTerm: true });
});
