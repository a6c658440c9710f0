import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toEvent } from './setup/request.ts';
import { packageStage, stageParameters } from './setup/stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-package-'));

beforeAll(() => {
  const { status, stdout, stderr } = packageStage(folder, 'prod', stageParameters);
  expect(status, stdout + stderr).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The names of a zip's files. */
const filesOf = (zip: string): string[] =>
  Object.keys(unzipSync(readFileSync(join(folder, zip)))).filter((name) => !name.endsWith('/'));

test.each(['users', 'manage'])(
  'the zip of %s holds its bundle and what that loads when asked for, and nothing else',
  (name) => {
    const files = filesOf(`${name}.zip`);
    expect(files.filter((file) => !/^dist\/chunks\/[^/]+\.mjs$/.test(file))).toEqual([`dist/handlers/${name}.mjs`]);
    expect(files.length).toBeGreaterThan(1);
  },
);

test("the pages' zip holds its bundle and every file that it serves, in both encodings, and nothing else", () => {
  const served: Record<string, { name: string }> = JSON.parse(readFileSync('dist/pages/files.json', 'utf8'));
  expect(Object.keys(served)).toEqual(expect.arrayContaining(['/api/docs/', '/api/console/', '/api/openapi.json']));
  const pages = Object.values(served).flatMap(({ name }) => [`dist/pages/${name}.br`, `dist/pages/${name}.gz`]);
  expect(filesOf('web.zip').sort()).toEqual(['dist/handlers/web.mjs', 'dist/pages/files.json', ...pages].sort());
});

test("the zip's handler answers in an empty directory", () => {
  const unzipped = join(folder, 'unzipped');
  for (const [name, contents] of Object.entries(unzipSync(readFileSync(join(folder, 'users.zip'))))) {
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
