import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toEvent } from './request.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-package-'));

beforeAll(() => {
  const { status, stdout, stderr } = serverless({ CORS_ORIGINS: 'https://admin.example.com, https://b.example.com' });
  expect(status, stdout + stderr).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npm run package`, without any credentials. */
function serverless(environment: Record<string, string>) {
  return spawnSync(process.execPath, ['node_modules/serverless/bin/serverless.js', 'package', '--package', folder], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
  });
}

function resources(): Record<string, { Type: string; Properties: Record<string, unknown> }> {
  return JSON.parse(readFileSync(join(folder, 'cloudformation-template-update-stack.json'), 'utf8')).Resources;
}

test('the list is one function of the current Node line behind one catch-all route', () => {
  expect(resources()['UsersLambdaFunction']?.Properties).toMatchObject({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'dist/handlers/users.handler',
  });
  const routes = Object.values(resources()).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
  expect(routes.map(({ Properties }) => Properties['RouteKey'])).toContain('$default');
});

test('browsers may call it from the origins of CORS_ORIGINS, with a token', () => {
  expect(resources()['HttpApi']?.Properties['CorsConfiguration']).toMatchObject({
    AllowOrigins: ['https://admin.example.com', 'https://b.example.com'],
    AllowHeaders: ['Authorization'],
    AllowMethods: ['GET', 'HEAD', 'OPTIONS'],
  });
});

test("the zip's handler answers in an empty directory", () => {
  const unzipped = join(folder, 'unzipped');
  for (const [name, contents] of Object.entries(unzipSync(readFileSync(join(folder, 'users-api.zip'))))) {
    mkdirSync(dirname(join(unzipped, name)), { recursive: true });
    writeFileSync(join(unzipped, name), contents);
  }
  // A file, because `node -e` defines a global require, which hides that a bundle needs one.
  const caller = join(folder, 'call.mjs');
  const event = { ...toEvent({}), headers: {} };
  writeFileSync(
    caller,
    `import { handler } from './unzipped/dist/handlers/users.mjs';
     console.log('answer: ' + JSON.stringify(await handler(${JSON.stringify(event)})));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [caller], {
    cwd: folder,
    encoding: 'utf8',
    env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  });
  const [, answer = ''] = stdout.match(/^answer: (.*)$/m) ?? [];
  expect(stderr).toBe('');
  expect(JSON.parse(answer)).toMatchObject({ statusCode: 401, headers: { 'WWW-Authenticate': 'Token' } });
});
