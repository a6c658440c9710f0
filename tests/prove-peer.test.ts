import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { benchKey, provide, toDatabase, withDatabase } from '../bench/datasets.ts';
import { listMissing, startPeer } from '../bench/servers.ts';
import { openForOperators } from '../manage/database.ts';
import type { CauseId } from '../prove/causes.ts';
import { readOptions } from '../prove/options.ts';
import type { Report } from '../prove/report.ts';
import { prove } from '../prove/run.ts';
import { findFreePort } from '../scripts/servers/free-port.ts';
import { findNginx, startNginx } from '../scripts/servers/nginx.ts';
import { startAlteringProxy } from './setup/altering-proxy.ts';
import { toNginx } from './setup/cutover-page.ts';
import { hasServer } from './setup/database.ts';
import { csv, listUsers } from './setup/described.ts';
import { startHttpServer } from './setup/http-server.ts';
import { faultsHere, faultsThere, plantAll } from './setup/planted-faults.ts';
import { toRecordedLog } from './setup/recorded-log.ts';
import { loadHandler } from './setup/request.ts';

const missing = listMissing();
const title = `against Django REST framework (missing: ${missing.join(', ') || 'nothing'})`;
const dataset = { name: 'prove', users: 3000, listed: 300 };

describe.skipIf(!hasServer || missing.length > 0)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-prove-'));
  const closers: (() => Promise<void>)[] = [];
  let old: string;
  let own: string;

  beforeAll(async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {}); // a line a request
    const template = inject('template');
    const serverUrl = 'serverUrl' in template ? template.serverUrl : '';
    const [url = ''] = await provide(serverUrl, [dataset]);
    closers.push(async () => {
      const server = openForOperators(serverUrl);
      await sql`drop database ${sql.id(toDatabase(dataset))} with (force)`.execute(server);
      await server.destroy();
    });
    const peer = await startPeer(withDatabase(serverUrl, toDatabase(dataset)).href);
    closers.unshift(peer.stop);
    const port = await findFreePort();
    const ours = await startHttpServer(port, [await loadHandler(url, { PUBLIC_URL: `http://127.0.0.1:${port}` })]);
    closers.unshift(ours.stop);
    [old, own] = [peer.url, ours.url];
  });
  afterAll(async () => {
    for (const close of closers) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the report says of so many queries, by the APIs at these URLs. */
  async function proveQueries(queries: number, bases: { old: string; own: string }): Promise<Report> {
    const log = join(folder, 'access.log');
    writeFileSync(log, toRecordedLog([...listUsers.parameters, ...csv.parameters], queries).join('\n'));
    const urls = ['--old', bases.old, '--new', bases.own, '--log', log, '--out', join(folder, 'prove'), '--again'];
    const options = readOptions([...urls, '--rate', '1000', '--concurrency', '4'], {
      OLD_TOKEN: benchKey,
      NEW_TOKEN: benchKey,
    });
    const report = await prove(options, { pauseMs: 1 });
    expect(report).toMatchObject({ isComplete: true, queries: { distinct: queries, judged: queries } });
    return report;
  }

  /** Names, by cause. */
  const parametersOf = ({ rows }: Report, cause: CauseId) =>
    rows.filter((row) => row.cause === cause).flatMap(({ parameters }) => parameters);

  test('2,000 queries show no difference that is not intended, and each of those by its cause', async () => {
    const report = await proveQueries(2000, { old, own });
    expect(report.rows.filter(({ kind }) => kind === 'difference')).toEqual([]);
    expect(new Set(report.rows.map(({ cause }) => cause))).toEqual(
      new Set<CauseId>([
        ...(['unknown-ignored', 'value-ignored', 'value-honoured', 'search'] satisfies CauseId[]),
        ...(['past-the-end', 'cursors', 'link-host'] satisfies CauseId[]),
      ]),
    );
    const strangers = ['_', '__proto__', 'fields', 'nonsense', 'page', 'page_size', 'utm_source'];
    expect(parametersOf(report, 'unknown-ignored').sort()).toEqual(strangers);
    const documented = listUsers.parameters.map(({ name }) => name);
    for (const cause of ['value-ignored', 'value-honoured'] as const) {
      const named = parametersOf(report, cause);
      expect(named.length).toBeGreaterThan(5);
      expect(named.filter((name) => !documented.includes(name))).toEqual([]);
    }
    expect(report.compared.requestsWithAnotherField).toBe(0);
    // Not a comparison of empty pages.
    expect(report.compared.users).toBeGreaterThan(10_000);
    for (const { sent, ...faults } of Object.values(report.asked)) {
      expect(sent).toBeGreaterThan(2000);
      expect(faults).toEqual({ timeouts: 0, unreachable: 0, tooMany: 0, serverErrors: 0 });
    }
  }, 600_000);

  test.skipIf(!findNginx())('behind the nginx of docs/cutover.md each answers what is its own', async () => {
    const port = await findFreePort();
    const nginx = await startNginx(port, toNginx({ port, old, own }));
    onTestFinished(nginx.stop);
    const origin = `http://127.0.0.1:${port}`;
    const headers = { authorization: `Token ${benchKey}` };
    const answers = async (method: string, path: string) => {
      const response = await fetch(`${origin}${path}`, { method, headers, redirect: 'manual' });
      return [response.status, response.headers.has('x-version')];
    };
    expect(await answers('GET', '/api/users/?limit=2')).toEqual([200, true]);
    expect(await answers('HEAD', '/api/users/?limit=2')).toEqual([200, true]);
    expect(await answers('POST', '/api/users/')).toEqual([405, false]); // Django's, which knows no other method here
    expect(await answers('GET', '/api/users/5/')).toEqual([404, false]);
    expect(await answers('GET', '/api/users?limit=2')).toEqual([301, false]);
    const report = await proveQueries(20, { old, own: origin });
    expect(report.rows.filter(({ kind }) => kind === 'difference')).toEqual([]);
  });

  test.each([
    ['here', faultsHere],
    ['there', faultsThere],
  ])(
    'faults planted %s are each found, and named by cause, parameter and field',
    async (side, faults) => {
      const proxy = await startAlteringProxy(side === 'here' ? own : old, plantAll(faults));
      onTestFinished(proxy.stop);
      const { rows } = await proveQueries(300, side === 'here' ? { old, own: proxy.url } : { old: proxy.url, own });
      for (const { row } of faults) expect(rows).toContainEqual(expect.objectContaining({ ...row, matters: true }));
    },
    600_000,
  );
});
