/** What test files import from `vitest`, for places where vitest itself does not run: its own runner and matchers, without the rest of it. */
import { chai, getState, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from '@vitest/expect';
import { getCurrentTest } from '@vitest/runner';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

type Expect = typeof chai.expect;

export const expect: Expect = Object.assign((value: unknown, message?: string) => {
  setState({ assertionCalls: (getState(expect as never).assertionCalls ?? 0) + 1 }, expect as never);
  const assertion = chai.expect(value, message);
  const test = getCurrentTest();
  return test ? (assertion as never as { withTest(test: unknown): typeof assertion }).withTest(test) : assertion;
}, chai.expect) as Expect;

const matchers = (globalThis as Record<symbol, object>)[Symbol.for('matchers-object')];
const asymmetric = (globalThis as Record<symbol, object>)[Symbol.for('asymmetric-matchers-object')];
if (!matchers) throw new Error('@vitest/expect has another version than vitest');
Object.assign(expect, asymmetric);
setState({ assertionCalls: 0 } as never, expect as never);
