import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Much of a test is waiting for a server.
    maxWorkers: '100%',
    globalSetup: 'tests/setup/global-setup.ts',
    // They end what hangs; a busy machine may take its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // How long a condition is waited for; what is right comes at once, but on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // So that no test comes to need what another leaves. An order comes again with the seed that is printed at the start:
    // `npm test -- --sequence.seed=…`.
    sequence: { shuffle: { tests: true } },
    // The handler logs a line per request: shown of tests that fail.
    silent: 'passed-only',
  },
});
