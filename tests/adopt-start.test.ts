import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { openAdopted } from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { lacking } from './setup/django.ts';

describe.skipIf(lacking)('npm start on the database of a Django application', () => {
  test('answers from it, whatever search_path its URL has, and says who gives out keys', {
    timeout: 180_000,
  }, async () => {
    const { ownerUrl, key } = await openAdopted('accounts', crowd(60));
    const url = new URL(ownerUrl);
    url.searchParams.set('options', '-cstatement_timeout=60s -csearch_path=public');
    const port = await findFreePort();
    const environment = { DATABASE_URL: url.href, PORT: String(port), PUBLIC_URL: '' };
    const child = spawn(process.execPath, ['scripts/start.ts'], { env: { ...process.env, ...environment } });
    const exited = once(child, 'exit');
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    try {
      while (!output.includes('For a key:') && child.exitCode === null)
        await Promise.race([once(child.stdout, 'data'), exited]);
      expect(output).toContain('For a key: manage.py drf_create_token <username>');
      const answer = await fetch(`http://localhost:${port}/api/users/?limit=2`, {
        headers: { authorization: `Token ${key}` },
      });
      expect({ output, status: answer.status, body: await answer.json() }).toMatchObject({
        status: 200,
        body: { count: expect.any(Number), results: [{}, {}] },
      });
    } finally {
      child.kill('SIGINT');
      await exited;
    }
  });
});
