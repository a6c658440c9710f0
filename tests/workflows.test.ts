import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const workflows = globSync('.github/workflows/*.yml').sort();

test('the test sees the workflows', () => {
  expect(workflows).toEqual(['.github/workflows/ci.yml', '.github/workflows/mutation.yml']);
});

describe.each(workflows)('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  // A tag may be moved to other code, a hash may not. Dependabot keeps both up to date.
  test('names its actions by the hash of a commit, and beside it the version', () => {
    const actions = text.match(/uses: .*/g) ?? [];
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('runs every week, and may do nothing but read', () => {
    expect(text).toMatch(/^ {4}- cron: '\d+ \d+ \* \* [0-6]'/m);
    expect(text.match(/^permissions:\n(?: .*\n)+/gm)).toEqual(['permissions:\n  contents: read\n']);
    expect(text.match(/checkout@/g)?.length).toBe(text.match(/persist-credentials: false/g)?.length);
  });
});
