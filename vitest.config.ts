import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: 'tests/setup/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // How long a condition is waited for; what is right comes at once, but on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // The handler logs a line per request: shown of tests that fail.
    silent: 'passed-only',
  },
});
