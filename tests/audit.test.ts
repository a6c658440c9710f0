import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { handler } from '../handlers/audit.ts';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';

let lines: unknown[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(...values));
});
afterEach(() => vi.restoreAllMocks());

/** As CloudWatch Logs hands lines on. */
function deliver(messages: string[], messageType = 'DATA_MESSAGE'): Promise<void> {
  const logEvents = messages.map((message, index) => ({
    id: String(index),
    timestamp: 1771658425338 + index,
    message,
  }));
  const delivery = {
    messageType,
    owner: '123456789012',
    logGroup: '/aws/lambda/users-api-prod-users',
    logStream: '2026/02/21/[$LATEST]0123456789abcdef',
    subscriptionFilters: ['users-api-prod-AuditSubscription'],
    logEvents,
  };
  return handler({ awslogs: { data: gzipSync(JSON.stringify(delivery)).toString('base64') } });
}

/** As Lambda's JSON format writes a line. */
const written = (message: unknown) =>
  JSON.stringify({ timestamp: '2026-02-21T07:20:25.338Z', level: 'INFO', requestId: 'of-lambda', message });

test('the lines of an audit are copied whole, each with its time', async () => {
  const database = await openTestDatabase();
  const list = await loadHandler(database.url, { AUDIT_LOG: 'on' });
  await send(list, { query: 'id_max=3&limit=2' });
  await send(list, { query: 'search=ann' });
  const [first, second] = lines.splice(0) as object[];
  expect(first).toMatchObject({ callerId: 1, shownUserIds: [3, 2] });
  await deliver([written(first), written(second)]);
  expect(lines).toEqual([
    { writtenAt: '2026-02-21T07:20:25.338Z', ...first },
    { writtenAt: '2026-02-21T07:20:25.339Z', ...second },
  ]);
});

test('a question whether somebody is there is no line', async () => {
  await deliver(['CWL CONTROL MESSAGE: Checking health of destination Lambda function.'], 'CONTROL_MESSAGE');
  expect(lines).toEqual([]);
});

describe('what is no delivery fails, so that an alarm tells, and says nothing of it:', () => {
  const secret = 'hunter2';

  test.each<[what: string, run: () => Promise<void>]>([
    ['nothing', () => handler(undefined)],
    ['another event', () => handler({ source: secret })],
    ['no base64 of gzip', () => handler({ awslogs: { data: secret } })],
    ['no JSON in it', () => handler({ awslogs: { data: gzipSync(secret).toString('base64') } })],
    ['a line in the text format', () => deliver([`2026-02-21T07:20:25.338Z\tof-lambda\tINFO\t{ ${secret} }`])],
  ])('%s', async (_, run) => {
    const failure = await run().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).toMatch(/^Expected a delivery of CloudWatch Logs/);
    expect((failure as Error).stack).not.toContain(secret);
    expect((failure as Error).cause).toBeUndefined();
    expect(lines).toEqual([]);
  });
});
