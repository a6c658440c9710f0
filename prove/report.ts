import type { AskTally } from './asking.ts';
import { type CauseId, causes, type Finding } from './causes.ts';
import type { Outcome } from './judging.ts';
import type { Options, Side } from './options.ts';
import type { LineTally, Query } from './queries.ts';

/** Queries that differ for one cause, by one parameter or field. */
export type Row = {
  cause: CauseId;
  title: string;
  kind: (typeof causes)[CauseId]['kind'];
  matters: boolean;
  advice: string;
  parameters: string[];
  field?: string;
  how?: string;
  queries: number;
  requests: number;
  /** Of all requests that were judged, from 0 to 1. */
  share: number;
  /** Of users that show it, the first of them. */
  ids: number[];
  /** With `--show-values` alone. */
  examples?: { query: string; old?: unknown; new?: unknown }[];
};

export type Report = {
  /** ISO 8601, UTC. */
  made: string;
  bases: Record<Side, string>;
  isComplete: boolean;
  lines: LineTally;
  /** All that the log has, those that were judged, and the requests that these stand for. */
  queries: { distinct: number; judged: number; requests: number };
  /** Of these, from 0 to 1: whose answers differ, and those whose clients meet what is intended; what was accepted is left out. */
  shares: { difference: number; intended: number };
  /** Users and fields that were compared, and requests whose answers differ in a field of a user. */
  compared: { users: number; fields: number; requestsWithAnotherField: number };
  asked: Record<Side, AskTally>;
  seconds: number;
  rows: Row[];
  /** Whether nothing that was found matters. */
  isProved: boolean;
};

type Judged = { query: Query; outcome: Outcome };

const most = { ids: 10, examples: 3 };

export function toReport(
  judged: Judged[],
  distinct: number,
  facts: Pick<Report, 'lines' | 'asked' | 'seconds'>,
  options: Pick<Options, 'bases' | 'accepted' | 'showValues'>,
): Report {
  const requests = sum(judged, ({ query }) => query.weight);
  const rows = new Map<string, Row>();
  for (const { query, outcome } of judged) {
    const asides: Finding[] = outcome.asides.map((cause) => ({ cause, parameters: [] }));
    const keys = new Set<string>(); // a query counts once in a row
    for (const finding of [...outcome.findings, ...asides]) {
      const { cause, parameters, field, how, ids = [], values } = finding;
      const key = JSON.stringify([cause, parameters, field, how]);
      const row = rows.get(key) ?? toRow(finding, options);
      rows.set(key, row);
      if (keys.has(key)) continue;
      keys.add(key);
      row.queries += 1;
      row.requests += query.weight;
      row.share = row.requests / requests;
      row.ids = [...new Set([...row.ids, ...ids])].slice(0, most.ids);
      if (row.examples && row.examples.length < most.examples) {
        row.examples.push({ query: `${query.method} ?${query.rawQuery}`, ...values });
      }
    }
  }
  const order = Object.keys(causes);
  const sorted = [...rows.values()].sort(
    (a, b) => order.indexOf(a.cause) - order.indexOf(b.cause) || b.requests - a.requests,
  );
  const requestsWith = (isMeant: (finding: Finding) => boolean): number =>
    sum(
      judged.filter(({ outcome }) => outcome.findings.some(isMeant)),
      ({ query }) => query.weight,
    );
  const toShare = (kind: Row['kind']): number =>
    requestsWith(({ cause }) => causes[cause].kind === kind && !options.accepted.includes(cause)) /
    Math.max(1, requests);
  return {
    made: new Date().toISOString(),
    bases: options.bases,
    isComplete: judged.length === distinct,
    queries: { distinct, judged: judged.length, requests },
    shares: { difference: toShare('difference'), intended: toShare('intended') },
    compared: {
      users: sum(judged, ({ outcome }) => outcome.users),
      fields: sum(judged, ({ outcome }) => outcome.fields),
      requestsWithAnotherField: requestsWith(({ cause }) => cause === 'field'),
    },
    ...facts,
    rows: sorted,
    isProved: judged.length > 0 && sorted.every(({ matters }) => !matters),
  };
}

function toRow(
  { cause, parameters, field, how }: Finding,
  { accepted, showValues }: Pick<Options, 'accepted' | 'showValues'>,
): Row {
  const { title, kind, matters, advice } = causes[cause];
  return {
    cause,
    title,
    kind,
    matters: matters && !accepted.includes(cause),
    advice,
    parameters,
    ...(field !== undefined && { field }),
    ...(how !== undefined && { how }),
    queries: 0,
    requests: 0,
    share: 0,
    ids: [],
    ...(showValues && { examples: [] }),
  };
}

const sum = <Item>(items: Item[], toNumber: (item: Item) => number): number =>
  items.reduce((total, item) => total + toNumber(item), 0);

/** `3 queries, 4 % of requests` */
export const toAmount = ({ queries, share }: Row): string =>
  `${count(queries, 'query', 'queries')}, ${toPercent(share)} of requests`;

/** `4 %` */
export function toPercent(share: number): string {
  const percent = share > 0 && share < 0.001 ? '< 0.1' : (share * 100).toFixed(share < 0.1 ? 1 : 0);
  return `${percent.replace(/\.0$/, '')} %`;
}

/** ``send `_`: refused here, ignored there`` */
export function toSentence({ title, parameters, field, how }: Row): string {
  const subject = parameters.length > 0 ? `send ${parameters.map((name) => `\`${name}\``).join(', ')}: ` : '';
  // What differs without more to be said of it.
  const manner = how && how !== 'another' && how !== 'others' ? ` (${how})` : '';
  return `${subject}${title}${field ? ` \`${field}\`` : ''}${manner}`;
}

/** The lines that say how it ended, most important first. */
export function toVerdict(report: Report): string[] {
  const { queries, compared, lines, isComplete } = report;
  const { difference, intended } = report.shares;
  const proved = 'Nothing that was found matters: these clients may change the host.';
  return [
    ...(isComplete
      ? []
      : [`Not at its end: ${queries.judged} of ${queries.distinct} queries. The same command goes on.`]),
    queries.judged === 0
      ? 'No request of the list is in the log.'
      : report.isProved
        ? proved
        : `Not proved: ${toPercent(difference)} of the requests are answered otherwise, and ${toPercent(intended)} meet what is intended.`,
    `${compared.requestsWithAnotherField.toLocaleString('en')} of ${count(queries.requests, 'answer differs', 'answers differ')} in a field; ` +
      `${count(queries.judged, 'distinct query', 'distinct queries')}, ${count(compared.users, 'user', 'users')} and ${count(compared.fields, 'field', 'fields')} compared.`,
    `Of the log, ${count(lines.taken, 'line', 'lines')} taken; left out: ${lines.otherPaths} of other paths, ${lines.otherMethods} of other methods, ` +
      `${lines.malformed} not understood, ${lines.withoutQuery} of a format without queries.`,
    ...(['old', 'new'] as const).map((side) => toFaults(side, report.asked[side])),
  ];
}

const toFaults = (side: Side, { sent, timeouts, unreachable, tooMany, serverErrors }: AskTally): string =>
  `Sent to the ${side} API: ${count(sent, 'request', 'requests')}, of which ${timeouts} timed out, ${unreachable} were not connected, ${tooMany} were a 429 and ${serverErrors} a 5xx.`;

const count = (number: number, one: string, many: string): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
