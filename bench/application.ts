import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { python } from './servers.ts';

/** A process of the Django application that `tests/django/` is, with the functions of `adopt.py`. */
type Application = { run: <Value>(code: string, given?: object) => Promise<Value>; stop: () => void };

export type Project = { start: () => Application; remove: () => void };

/** Makes its tables in the database. */
export function makeProject(databaseUrl: string): Project {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-django-'));
  const options = {
    cwd: folder,
    env: { LAYOUT: 'accounts', DATABASE_URL: databaseUrl, DJANGO_SETTINGS_MODULE: 'settings' },
  };
  cpSync('tests/django', folder, { recursive: true });
  for (const words of [['makemigrations', 'accounts'], ['migrate']]) {
    const { status, stderr } = spawnSync(python, ['manage.py', ...words], { ...options, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
  return {
    start: () => startApplication(spawn(python, ['driver.py'], { ...options, stdio: ['pipe', 'pipe', 'inherit'] })),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function startApplication(child: ChildProcess): Application {
  const functions = readFileSync(`${import.meta.dirname}/adopt.py`, 'utf8');
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  return {
    async run(code, given = {}) {
      child.stdin?.write(`${JSON.stringify({ code: `${functions}\n${code}`, given })}\n`);
      const [line] = await once(lines, 'line');
      const { value, error } = JSON.parse(line);
      if (error !== undefined) throw new Error(error);
      return value;
    },
    stop: () => void child.stdin?.end(),
  };
}
