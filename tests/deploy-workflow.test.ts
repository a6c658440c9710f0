import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluate, readWorkflow, runJob } from './setup/workflow.ts';

const workflow = readWorkflow('.github/workflows/deploy.yml');
const { checked, deploy } = workflow.jobs as Record<'checked' | 'deploy', (typeof workflow.jobs)[string]>;

const commit = '41d69d83b30d6f7e0a5b1c2d3e4f5a6b7c8d9e0f';
const url = 'https://api.example.com';
const code = 'serverless/users-api/prod/1771658425338-2026-02-21T07:20:25.338Z/users.zip';
const parameters = readFileSync('serverless/params.example.yml', 'utf8');

/** What the programs say where all is well; a test says what else happens. */
const programs = {
  aws: `case "$*" in
      *get-template*) echo "\${CODE-${code}}";;
      *describe-stacks*) echo https://abc.execute-api.eu-west-1.amazonaws.com;;
      *'"migrate"'*) echo "\${MIGRATED-{\\"ok\\":true,\\"output\\":[\\"migrated 0006\\"]\\}}" > migrated.json;;
      *create-reader*) echo "\${READ-{\\"ok\\":true,\\"output\\":[\\"password: hunter2\\"]\\}}" > reader.json;;
    esac`,
  npm: `case "$*" in
      *smoke*--build*) ;;
      *smoke*) [ -n "$USERS_API_KEY" ] && exit "\${SMOKE-0}";;
      *package*) exit "\${PACKAGED-0}";;
    esac`,
  npx: `case "$*" in *deploy*) exit "\${DEPLOYED-0}";; esac`,
  curl: `[ -n "$UNREACHABLE" ] && exit 7; printf 'HTTP/2 401\\r\\nX-Version: 1.0.0+0123456789ab\\r\\n\\r\\n'`,
  gh: `echo "\${PASSED-1}"`,
  sleep: '',
};

/** The job in an environment that is set up, with what happens: `{ SMOKE: '1' }`. */
function run(
  happens: Record<string, string> = {},
  { file = parameters, key = 'secret-key', reader = 'users_api' } = {},
) {
  return runJob(deploy, {
    env: { STAGE: 'prod', COMMIT: commit, ...happens },
    programs,
    files: { 'serverless/params.prod.yml': file },
    vars: { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/github', READER: reader },
    secrets: { USERS_API_KEY: key },
    github: { run_id: '17' },
  });
}

const manage = 'users-api-prod-manage';
const untilMigrated = [
  'npm ci --ignore-scripts',
  'npm rebuild --ignore-scripts',
  'npm run package -- --stage prod',
  expect.stringMatching(
    /^aws cloudformation get-template --stack-name users-api-prod --query TemplateBody\.Resources\./,
  ),
  expect.stringMatching(/^curl .*--head .*https:\/\/api\.example\.com\/api\/users\/$/),
  `aws lambda update-function-code --function-name ${manage} --zip-file fileb://.serverless/manage.zip --query CodeSha256`,
  `aws lambda wait function-updated-v2 --function-name ${manage}`,
  expect.stringMatching(
    `^aws lambda invoke --function-name ${manage} .*--payload {"command":"migrate"} migrated.json$`,
  ),
];
const untilRead = [
  ...untilMigrated,
  expect.stringMatching(
    `^aws lambda invoke .*--payload {"command":"create-reader","args":\\["users_api"\\]} reader.json$`,
  ),
];
const deployed = 'npx serverless deploy --stage prod --package .serverless --force';
const origins = '--origin https://admin.example.com --origin https://desk.example.com';
const smoke = `npm run --silent smoke -- ${url} ${origins}`;

test('packages, migrates, lets the reader read what is new, deploys and asks, in this order', () => {
  const { failed, calls, output } = run();
  expect({ failed, calls }).toEqual({ failed: [], calls: [...untilRead, deployed, smoke] });
  expect(output).toContain('migrated 0006');
});

test('goes back to what the stack was of, and asks that, where the new does not answer as it should', () => {
  const { failed, calls } = run({ SMOKE: '1' });
  expect(failed).toEqual(['Ask it what only a deployment can answer']);
  expect(calls).toEqual([
    ...untilRead,
    deployed,
    ...['10', '30', '0'].flatMap((pause) => [smoke, `sleep ${pause}`]),
    'npx serverless rollback --stage prod --timestamp 1771658425338',
    `npm run --silent smoke -- ${url} --build 1.0.0+0123456789ab`,
  ]);
});

test('deploys nothing where the migration fails, of which it shows what the function said', () => {
  const { failed, calls, output } = run({ MIGRATED: '{"errorMessage":"The table users is locked by 17"}' });
  expect(failed).toEqual(["Migrate, with the new operators' function"]);
  expect(calls).toEqual(untilMigrated);
  expect(output).toContain('is locked by 17');
});

test('deploys nothing where the reader is refused, and shows no password', () => {
  const { calls, output } = run({ READ: '{"ok":false,"output":["It may write users."]}' });
  expect(calls).toEqual(untilRead);
  expect(output).toContain('It may write users.');
  expect(run().output).not.toContain('hunter2');
});

test('leaves a reader alone that is not named', () => {
  expect(run({}, { reader: '' }).calls).toEqual([...untilMigrated, deployed, smoke]);
});

test('leaves what CloudFormation has taken back itself', () => {
  const { failed, calls } = run({ DEPLOYED: '1' });
  expect(failed).toEqual(['Deploy']);
  expect(calls).toEqual([...untilRead, deployed]);
});

test('deploys also where what is there does not answer', () => {
  expect(run({ UNREACHABLE: '1' })).toMatchObject({ failed: [], calls: [...untilRead, deployed, smoke] });
});

test('touches nothing of AWS where it does not package', () => {
  expect(run({ PACKAGED: '1' }).calls.filter((call) => call.startsWith('aws'))).toEqual([]);
});

test('asks for the URL of the gateway where the stage has none, and for no origins where it lets none in', () => {
  const file = parameters
    .replace(/^publicUrl: .*/m, 'publicUrl: none')
    .replace(/^corsOrigins: .*/m, 'corsOrigins: none');
  const { calls } = run({}, { file });
  expect(calls.at(-1)).toBe('npm run --silent smoke -- https://abc.execute-api.eu-west-1.amazonaws.com');
});

test.each<[what: string, given: Parameters<typeof run>, said: RegExp]>([
  ['without a key to ask with', [{}, { key: '' }], /no secret USERS_API_KEY/],
  [
    'without a region',
    [{}, { file: parameters.replace(/^region: .*/m, '') }],
    /params\.prod\.yml: region: Expected one/,
  ],
  [
    'with a URL that a shell would read',
    [{}, { file: parameters.replace(/^publicUrl: .*/m, 'publicUrl: https://a$(id)') }],
    /Expected https/,
  ],
  [
    'with a region that a shell would read',
    [{}, { file: parameters.replace(/^region: .*/m, 'region: a;b') }],
    /Expected one, as eu-west-1/,
  ],
])('ends before it packages %s', (_, given, said) => {
  const { failed, calls, output } = run(...given);
  expect(failed).toEqual(['Read what the stage is']);
  expect(calls).toEqual(['npm ci --ignore-scripts', 'npm rebuild --ignore-scripts']);
  expect(output).toMatch(said);
});

test('ends before it migrates where there is nothing to go back to', () => {
  const { failed, calls, output } = run({ CODE: 'None' });
  expect(failed).toEqual(['Look at what is there now']);
  expect(output).toContain('The first one is made by hand');
  expect(calls.some((call) => call.includes('lambda'))).toBe(false);
});

test('asks first whether CI has passed on this commit of main', () => {
  const given = { programs, files: {}, github: { token: 't', repository: 'owner/users-api' } };
  const passed = runJob(checked, { ...given, env: { COMMIT: commit } });
  expect(passed).toMatchObject({
    failed: [],
    calls: [
      `gh api repos/owner/users-api/actions/workflows/ci.yml/runs?head_sha=${commit}&branch=main&event=push&status=success --jq .total_count`,
    ],
  });
  const { failed, output } = runJob(checked, { ...given, env: { COMMIT: commit, PASSED: '0' } });
  expect(failed).toHaveLength(1);
  expect(output).toContain(`CI has not passed on ${commit} of main`);
  expect(deploy).toMatchObject({ needs: 'checked' });
});

test.each<[when: string, github: object, vars: object, due: string]>([
  ['told to', { event_name: 'workflow_dispatch', event: {} }, {}, 'true'],
  [
    'CI has passed on a push',
    { event: { workflow_run: { event: 'push', conclusion: 'success' } } },
    { STAGE_OF_MAIN: 'prod' },
    'true',
  ],
  ['no stage is that of main', { event: { workflow_run: { event: 'push', conclusion: 'success' } } }, {}, 'false'],
  [
    'CI has failed',
    { event: { workflow_run: { event: 'push', conclusion: 'failure' } } },
    { STAGE_OF_MAIN: 'prod' },
    'false',
  ],
  [
    'it was a pull request',
    { event: { workflow_run: { event: 'pull_request', conclusion: 'success' } } },
    { STAGE_OF_MAIN: 'prod' },
    'false',
  ],
  [
    'it was the weekly run',
    { event: { workflow_run: { event: 'schedule', conclusion: 'success' } } },
    { STAGE_OF_MAIN: 'prod' },
    'false',
  ],
])('when %s it starts: %s', (_, github, vars, due) => {
  expect(evaluate(checked.if ?? '', { github: { event_name: 'workflow_run', ...github }, vars })).toBe(due);
});
