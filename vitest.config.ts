import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: 'tests/setup/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The handler logs a line per request: shown of tests that fail.
    silent: 'passed-only',
  },
});
