// `npm run mutate [-- --mutate 'lib/http/*.ts']`: plants slips, one at a time, and reports those that no test notices.
export default {
  mutate: ['handlers/**/*.ts', 'lib/**/*.ts', 'manage/**/*.ts'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', pool: 'threads', related: false },
  coverageAnalysis: 'perTest',
  dryRunTimeoutMinutes: 20,
  timeoutMS: 20_000,
  concurrency: 2,
  incremental: true,
  incrementalFile: 'reports/mutation/incremental.json',
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  clearTextReporter: { logTests: false, reportTests: false },
  thresholds: { high: 95, low: 85, break: 85 },
  // None: Stryker would rewrite it with an API of the compiler that TypeScript 7 has no more. Node.js reads types away without it.
  tsconfigFile: 'none',
  ignorePatterns: ['bench/results', 'docs', 'dist'],
};
