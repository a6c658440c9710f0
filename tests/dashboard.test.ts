import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestDatabase } from './setup/database.ts';
import { loadHandler, send } from './setup/request.ts';
import { dimensionsOf } from './setup/template-shape.ts';

type Widget = {
  type: 'alarm' | 'metric' | 'log';
  x: number;
  y: number;
  width: number;
  height: number;
  properties: {
    title: string;
    alarms?: string[];
    metrics?: [string, string, string, string, object][];
    query?: string;
  };
};

const { Dashboard } = createRequire(import.meta.url)('../serverless/dashboard.cjs');
const { widgets }: { widgets: Widget[] } = JSON.parse(Dashboard.Properties.DashboardBody['Fn::Sub']);
const queries = widgets.flatMap(({ properties: { query = [] } }) => query);

describe('a query reads', () => {
  /** Of the log of the list's function: lines of requests, as Lambda wraps them, and Lambda's report of each. */
  const events: object[] = [
    {
      type: 'platform.report',
      record: { metrics: { initDurationMs: 251.3, maxMemoryUsedMB: 98, memorySizeMB: 512 } },
    },
  ];

  beforeAll(async () => {
    const database = await openTestDatabase();
    const handler = await loadHandler(database.url);
    for (const method of ['log', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation((message) => void events.push({ message }));
    }
    await send(handler, {});
    await sql`create or replace function search_fold(value text) returns text language plpgsql immutable as
      'begin raise exception ''too slow'' using errcode = ''57014''; end'`.execute(database.db);
    await send(handler, { query: 'search=an' });
    vi.restoreAllMocks();
    expect(events).toMatchObject([{}, { message: { status: 200 } }, { message: { status: 503 } }]);
  });

  const fields = [...new Set(queries.flatMap((query) => query.match(/\b(message|record)\.[\w.]+/g) ?? []))];

  test('fields of requests and of reports', () => {
    expect(fields.length).toBeGreaterThan(10);
  });

  test.each(fields)('%s, which a line has', (field) => {
    expect(events.map((event) => fieldOf(event, field))).toContainEqual(expect.anything());
  });

  test.each(queries)('the log of the list by steps that are commands: %s', (query) => {
    const [source, ...steps] = query.split(' | ');
    expect(source).toBe(`SOURCE '\${UsersLogGroup}'`);
    for (const step of steps) expect(step).toMatch(/^(fields|filter|stats|sort|limit) \S/);
  });
});

const fieldOf = (event: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], event);

test('a graph shows metrics that AWS publishes, by their dimensions', () => {
  const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  expect(metrics.length).toBeGreaterThan(5);
  for (const [namespace, name, dimension] of metrics) {
    expect(dimensionsOf(namespace, name), name).toContainEqual([dimension]);
  }
});

test('every alarm is shown', () => {
  const alarms = readFileSync('serverless/alarms.yml', 'utf8').matchAll(/^(\w+):\n {2}Type: AWS::CloudWatch::Alarm$/gm);
  const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
  expect(shown).toEqual(Array.from(alarms, ([, name]) => `\${${name}.Arn}`));
});

test('nothing lies over another, nor beyond the 24 columns', () => {
  const cells = widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBe(24);
});

test('docs/operate.md says what each part shows', () => {
  const [, part = ''] = readFileSync('docs/operate.md', 'utf8').split(/^## The dashboard$/m);
  const rows = part.split(/^## /m)[0]?.matchAll(/^\| ([^|]+) \|/gm) ?? [];
  const [, ...said] = Array.from(rows, ([, title]) => title); // below the head
  expect(said).toEqual(widgets.map(({ properties }) => properties.title));
});
