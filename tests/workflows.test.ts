import { globSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { describe, expect, test } from 'vitest';
import { readWorkflow } from './setup/workflow.ts';

// The parser imports its JSON without saying that it is.
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return specifier.endsWith('.json') ? { ...resolved, importAttributes: { type: 'json' } } : resolved;
  },
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');

const workflows = globSync('.github/workflows/*.yml').sort();
const deployment = '.github/workflows/deploy.yml';

test('the test sees the workflows', () => {
  expect(workflows).toEqual(['.github/workflows/ci.yml', deployment, '.github/workflows/mutation.yml']);
});

/** What GitHub's own parser says against it: an unknown key, a context that is not known at its place. */
async function findFaults(name: string, content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

describe.each(workflows)('%s', (file) => {
  const text = readFileSync(file, 'utf8');
  const steps = Object.values(readWorkflow(file).jobs).flatMap((job) => job.steps);

  test('is as GitHub reads it', async () => {
    expect(await findFaults(file, text)).toEqual([]);
    const slips: [from: RegExp, to: string, fault: string][] = [
      [/timeout-minutes/, 'timeout-minute', "Unexpected value 'timeout-minute'"],
      [/steps:/, `name: \${{ varz.STAGE }}\n    steps:`, "Unrecognized named-value: 'varz'"],
    ];
    for (const [from, to, fault] of slips) {
      expect(await findFaults(file, text.replace(from, to))).toContainEqual(expect.stringContaining(fault));
    }
  });

  // A tag may be moved to other code, a hash may not. Dependabot keeps both up to date.
  test('names its actions by the hash of a commit, and beside it the version', () => {
    const actions = text.match(/uses: .*/g) ?? [];
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(text.match(/checkout@/g)?.length).toBe(text.match(/persist-credentials: false/g)?.length);
  });

  // It would be pasted into the script: whoever names a branch would write a line of it.
  test('has no expression in a script', () => {
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(script).not.toContain('${{');
  });
});

describe.each(workflows.filter((file) => file !== deployment))('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  test('runs every week, and may do nothing but read', () => {
    expect(text).toMatch(/^ {4}- cron: '\d+ \d+ \* \* [0-6]'/m);
    expect(text.match(/^permissions:\n(?: .*\n)+/gm)).toEqual(['permissions:\n  contents: read\n']);
    expect(text).not.toContain('secrets.');
  });
});

describe(deployment, () => {
  const { jobs, permissions, concurrency } = readWorkflow(deployment);
  const text = readFileSync(deployment, 'utf8');

  test('may ask for a role of AWS in one job, and read in both', () => {
    expect(permissions).toEqual({});
    expect(Object.entries(jobs).map(([name, job]) => [name, job.permissions])).toEqual([
      ['checked', { actions: 'read' }],
      ['deploy', { contents: 'read', 'id-token': 'write' }],
    ]);
  });

  test('has no key of AWS, and one secret, of the API', () => {
    expect(new Set(text.match(/secrets\.\w+/g))).toEqual(new Set(['secrets.USERS_API_KEY']));
    expect(text).not.toMatch(/aws-(access|secret|session)|AWS_(ACCESS|SECRET|SESSION)/i);
  });

  test('runs once at a time for a stage, in the environment of that name', () => {
    const stage = `\${{ inputs.stage || vars.STAGE_OF_MAIN }}`;
    expect(concurrency).toEqual({ group: `deploy-${stage}`, 'cancel-in-progress': false });
    expect(jobs['deploy']?.environment?.['name']).toBe(stage);
    expect(jobs['checked']?.environment).toBeUndefined();
  });

  test('has no credentials yet where packages are installed and the code is built', () => {
    const steps = jobs['deploy']?.steps ?? [];
    const credentials = steps.findIndex(({ uses }) => uses?.startsWith('aws-actions/'));
    const built = steps.findIndex(({ run }) => run?.includes('npm run package'));
    expect(built).toBeGreaterThan(0);
    expect(credentials).toBeGreaterThan(built);
    for (const { run } of steps) if (run?.includes('npm ci')) expect(run).toContain('--ignore-scripts');
  });
});
