/** Prints "N passed, N failed" from the test runner's own JSON report. */
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(file, 'utf8'));
  // A file that does not load has no tests to fail, so it counts itself.
  console.log(`${numPassedTests} passed, ${Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0)} failed`);
} catch (error) {
  console.error(`${file} cannot be read: ${error.message}`);
  process.exitCode = 1;
}
