// Adds up vitest's JSON reports, named on the command line, and prints one plain line.
import { existsSync, readFileSync } from 'node:fs';

type Report = { success: boolean; numPassedTests: number; numFailedTests: number; numPendingTests: number };

/** A run that ended without a report, or failed outside its tests, counts as one failure. */
const reports = process.argv.slice(2).map((file): Report => {
  if (!existsSync(file)) return { success: false, numPassedTests: 0, numFailedTests: 1, numPendingTests: 0 };
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  return { ...report, numFailedTests: report.success ? report.numFailedTests : Math.max(1, report.numFailedTests) };
});
const total = (key: 'numPassedTests' | 'numFailedTests' | 'numPendingTests') =>
  reports.reduce((sum, report) => sum + report[key], 0);

console.log(
  `${total('numPassedTests')} passed, ${total('numFailedTests')} failed, ${total('numPendingTests')} skipped`,
);
