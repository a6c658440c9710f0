import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type Kysely, sql } from 'kysely';
import { afterAll } from 'vitest';
import type { Database } from '../../lib/database/tables.ts';
import { hasServer, openEmptyDatabase } from './database.ts';
import { urlWith } from './server.ts';

/** Another Python than Debian's may come first in PATH, and knows nothing of its packages. */
const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import django, rest_framework.authtoken, psycopg2']).status === 0,
);

/** What the tests with Django lack here; undefined where they can run. */
export const lacking = !python
  ? 'needs the packages python3-django, python3-djangorestframework and python3-psycopg2'
  : hasServer
    ? undefined
    : 'needs a PostgreSQL server: scripts/with-postgres.ts';

/** An app of `tests/django/`: how its users are laid out. */
export type Layout = 'accounts' | 'people' | 'members';

/** A process of the application, which runs Python by the project's models until the end of the test file. */
export type Django = {
  /** The value of the code's last statement; `given` are names for it. Throws what it raises, `IntegrityError: …`. */
  run: <Value>(code: string, given?: object) => Promise<Value>;
  /** Ends it in its tracks, with whatever transaction it is in. */
  kill: () => Promise<void>;
};

export type Project = {
  /** Of the role that owns database and tables: no superuser, but one that may make roles. */
  ownerUrl: string;
  /** As the superuser. */
  db: Kysely<Database>;
  /** Of the project's own copy. */
  folder: string;
  /** The models' file, to be changed. */
  models: string;
  /** As the owner; returns what it prints, throws what it complains of. The answers to its questions are lines of `input`. */
  manage: (words: string, input?: string) => Promise<string>;
  /** As a role that may only read and write the tables' rows. */
  start: () => Promise<Django>;
};

/** What the test file has started, last things first. */
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** A database that `manage.py migrate` has made, for the test file. */
export async function openProject(layout: Layout): Promise<Project> {
  const { db, url } = await openEmptyDatabase('');
  const [owner, application] = await createRoles(db);
  const ownerUrl = urlWith(url, { username: owner });
  const folder = mkdtempSync(join(tmpdir(), 'users-api-django-'));
  closers.push(async () => rmSync(folder, { recursive: true, force: true }));
  cpSync('tests/django', folder, { recursive: true });

  const spawnPython = (databaseUrl: string, ...args: string[]) =>
    spawn(python as string, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], LAYOUT: layout, DATABASE_URL: databaseUrl, DJANGO_SETTINGS_MODULE: 'settings' },
    });

  const project: Project = {
    ownerUrl,
    db,
    folder,
    models: join(folder, layout, 'models.py'),
    async manage(words, input = '') {
      const child = spawnPython(ownerUrl, 'manage.py', ...words.split(' '));
      child.stdin.end(input);
      const [output, errors, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      if (code !== 0) throw new Error(`manage.py ${words}: ${output}${errors}`);
      return output;
    },
    async start() {
      return startDriver(spawnPython(urlWith(url, { username: application }), 'driver.py'));
    },
  };
  await project.manage(`makemigrations ${layout === 'members' ? 'members knox' : layout}`);
  await project.manage('migrate');
  return project;
}

/** The owner's tables are made later; what the application may do with them is said before. */
async function createRoles(db: Kysely<Database>): Promise<[owner: string, application: string]> {
  const roles = ['owner', 'application'].map((role) => `django_${role}_${crypto.randomUUID().slice(0, 8)}`);
  const [owner = '', application = ''] = roles;
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  for (const statement of [
    sql`create role ${sql.id(owner)} login createrole`,
    sql`create role ${sql.id(application)} login`,
    sql`alter database ${sql.id(rows[0]?.name ?? '')} owner to ${sql.id(owner)}`,
    sql`alter default privileges for role ${sql.id(owner)} in schema public
      grant select, insert, update, delete on tables to ${sql.id(application)}`,
    sql`alter default privileges for role ${sql.id(owner)} in schema public grant usage, update on sequences to ${sql.id(application)}`,
  ]) {
    await statement.execute(db);
  }
  return [owner, application];
}

function startDriver(child: ChildProcess): Django {
  const answers = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const errors = text(child.stderr as NodeJS.ReadableStream);
  const exited = once(child, 'exit');
  closers.push(async () => {
    child.stdin?.end();
    await exited;
  });
  let last: Promise<unknown> = Promise.resolve();
  async function ask(code: string, given: object) {
    child.stdin?.write(`${JSON.stringify({ code, given })}\n`);
    const { value: line, done } = await answers.next();
    if (done) throw new Error(`The application has ended: ${await errors}`);
    const { value, error } = JSON.parse(line);
    if (error !== undefined) throw new Error(error);
    return value;
  }
  return {
    run(code, given = {}) {
      const answer = last.then(() => ask(code, given));
      last = answer.catch(() => {});
      return answer;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
