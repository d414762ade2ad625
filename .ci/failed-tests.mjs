// Prints what failed in a JSON report of vitest. failed-tests.mjs <report> counts: how many tests passed and failed. names: a line for
// each test or file that failed, with the first line of its error. pattern: a regular expression for -t that matches the failed tests,
// of letters, digits, dots and bars alone, so that no shell changes it; nothing if a file failed outside of its tests.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [file, what] = process.argv.slice(2);
const report = JSON.parse(readFileSync(file, 'utf8'));

const files = report.testResults.map(({ name, status, message, assertionResults }) => ({
  path: relative(process.cwd(), name),
  failedTests: assertionResults.filter((test) => test.status === 'failed'),
  failedOutside: status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  message,
}));
const firstLine = (text = '') => text.trim().split('\n')[0];

const answer = {
  counts: () => [`${report.numPassedTests} ${report.numFailedTests}`],
  names: () =>
    files.flatMap(({ path, failedTests, failedOutside, message }) =>
      failedOutside
        ? [`${path}: ${firstLine(message)}`]
        : failedTests.map((test) => `${path} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`),
    ),
  pattern: () => {
    if (files.some(({ failedOutside }) => failedOutside)) return [];
    const names = files.flatMap(({ failedTests }) => failedTests.map((test) => test.fullName));
    return [names.map((name) => name.replaceAll(/[^A-Za-z0-9]/g, '.')).join('|')];
  },
};
for (const line of answer[what]()) process.stdout.write(`${line}\n`);
