import type { Parameter } from '../lib/parameters.ts';
import { filters } from '../lib/users/filters.ts';
import { ordering } from '../lib/users/ordering.ts';
import { datasets } from './datasets.ts';
import { met, ms, ratio, toTable } from './markdown.ts';
import { measure, median, runsWithin, type Times } from './measure.ts';
import { toLines } from './plot.ts';
import { openDriver, openHandler, warmUp } from './subject.ts';

/** Of each kind of value one that lists some and not all, where its example might list nobody. */
function toText({ schema, example }: Parameter<unknown>): string {
  if (schema.type === 'boolean') return 'false';
  return schema.format === 'date' ? '2023-06-01' : String(example);
}

/** What is to take no longer where more are listed, but for the count. */
const steady: Record<string, string> = {
  'default page': '',
  'rare search': 'search=user000791900', // one user in each data set
  'no-match search': 'search=nobody-at-all',
  'id range': 'id_min=100&id_max=900',
};

/** A request of each filter and each ordering. */
export const singles: Record<string, string> = Object.fromEntries([
  ...Object.entries(filters).map(([name, parameter]) => [name, `${name}=${toText(parameter)}`]),
  ...(ordering.schema.items?.enum ?? []).map((key) => [`ordering=${key}`, `ordering=${key}`]),
]);

const kinds = { ...steady, ...singles };

/** By data set: the request, by turns with the count of its users alone and with the default page. */
export type Growth = { kind: string; times: Record<string, { request: Times; count: Times; defaultPage: Times }> };

export async function measureGrowth(databases: Record<string, string>, millisecondsEach: number): Promise<Growth[]> {
  const results = Object.keys(kinds).map((kind): Growth => ({ kind, times: {} }));
  for (const [name, url] of Object.entries(databases)) {
    const handler = await openHandler(url);
    const driver = await openDriver(url);
    await warmUp(() => handler(''));
    for (const { kind, times } of results) {
      const query = kinds[kind] ?? '';
      const request = () => handler(query);
      const contestants = { request, count: driver.count(query), defaultPage: () => handler('') };
      times[name] = await measure(contestants, await runsWithin(millisecondsEach, request));
    }
    await driver.end();
  }
  return results;
}

/** A request of A must not take much longer than of 200 listed, but for the count. */
export function toGoalsOfGrowth(growth: Growth[]): string {
  const largest = 'A' in (growth[0]?.times ?? {}) ? 'A' : 'small2k'; // a quick run has no A
  const rows = growth
    .filter(({ kind }) => kind in steady)
    .map(({ kind, times }) => {
      const [small, large] = [times['small200'], times[largest]];
      if (!small || !large) throw new Error(`no figures of ${kind} in ${largest}`);
      const quotient = (large.request.p50 - large.count.p50) / (small.request.p50 - small.count.p50);
      return [
        kind,
        ms(small.request.p50),
        ms(small.count.p50),
        ms(large.request.p50),
        ms(large.count.p50),
        ratio(quotient),
        met(quotient <= 1.5),
      ];
    });
  return [
    toTable(['request', '200 listed', 'its count', largest, 'its count', 'ratio without counts', 'goal ≤ 1.5'], rows),
    toSlowestTable(growth),
  ].join('\n\n');
}

/** Orderings and conditions, in default pages of the same data set. Where few are listed, planning is their price. */
function toSlowestTable(growth: Growth[]): string {
  const rows = Object.keys(growth[0]?.times ?? {}).flatMap((name) => {
    const ratioOf = ({ times }: Growth) => {
      const { request, defaultPage } = times[name] ?? {};
      return request && defaultPage ? request.p50 / defaultPage.p50 : Number.NaN;
    };
    const toRow = (what: string, isOfKind: (kind: string) => boolean, goal?: number) => {
      const kinds = growth.filter(({ kind }) => isOfKind(kind));
      const slowest = kinds.reduce((a, b) => (ratioOf(b) > ratioOf(a) ? b : a));
      const middle = median(kinds.map(ratioOf));
      const verdict = goal ? [`≤ ${goal}`, met(ratioOf(slowest) <= goal)] : ['', ''];
      return [name, what, ratio(middle), `\`${slowest.kind}\``, ratio(ratioOf(slowest)), ...verdict];
    };
    const isOrdering = (kind: string) => kind.startsWith('ordering=');
    const isFew = datasets[name as keyof typeof datasets].listed <= 2000;
    return [
      toRow('an ordering', isOrdering, 1.5),
      toRow('a filter or search', (kind) => kind !== 'default page' && !isOrdering(kind), isFew ? 1.3 : undefined),
    ];
  });
  return toTable(['data set', 'of the default page', 'median', 'the slowest', 'times', 'goal', ''], rows);
}

/** What the README shows: of the largest data sets too, a request of each sort. */
const summary = [
  'default page',
  'rare search',
  'is_active',
  'gender',
  'group_id',
  'ordering=-last_login',
  'ordering=email',
];

export function toGrowthSummary(growth: Growth[]): string {
  const shown = growth.filter(({ kind }) => summary.includes(kind));
  const names = Object.keys(shown[0]?.times ?? {}) as (keyof typeof datasets)[];
  const heads = names.map((name) => {
    const { listed, users } = datasets[name];
    return `${listed.toLocaleString('en')} of ${users.toLocaleString('en')}`;
  });
  const counts = names.map((name) => growth.find(({ kind }) => kind === 'default page')?.times[name]?.count.p50);
  return toTable(
    ['listed', ...heads],
    [
      ...shown.map(({ kind, times }) => [kind, ...names.map((name) => ms(times[name]?.request.p50))]),
      ['the count of all, alone', ...counts.map(ms)],
    ],
  );
}

export function toGrowthTable(growth: Growth[]): string {
  const names = Object.keys(growth[0]?.times ?? {});
  return toTable(
    ['request', ...names.flatMap((name) => [name, 'its count'])],
    growth.map(({ kind, times }) => [
      kind,
      ...names.flatMap((name) => [ms(times[name]?.request.p50), ms(times[name]?.count.p50)]),
    ]),
  );
}

/** What each listed user adds, against the smallest data set. */
export function toCountTable(growth: Growth[]): string {
  const defaultPage = growth.find(({ kind }) => kind === 'default page');
  const counts = Object.entries(defaultPage?.times ?? {}).map(([name, { count }]) => ({
    listed: datasets[name as keyof typeof datasets].listed,
    p50: count.p50,
  }));
  const smallest = counts[0] ?? { listed: 0, p50: Number.NaN };
  return toTable(
    ['listed', 'count p50', 'ns for each more who is listed'],
    counts.map(({ listed, p50 }) => [
      listed.toLocaleString('en'),
      ms(p50),
      listed > smallest.listed ? (((p50 - smallest.p50) * 1e6) / (listed - smallest.listed)).toFixed(0) : '',
    ]),
  );
}

export function toGrowthPlot(growth: Growth[]): string {
  const shown = [
    'default page',
    'rare search',
    'no-match search',
    'is_active',
    'ordering=-last_login',
    'ordering=email',
  ];
  const lines = growth
    .filter(({ kind }) => shown.includes(kind))
    .map(({ kind, times }) => ({
      label: kind,
      points: Object.entries(times).map(([name, { request }]) => ({ x: name, y: request.p50 })),
    }));
  return toLines('p50 by data set, ms (logarithmic)', lines);
}
