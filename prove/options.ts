import { parseArgs } from 'node:util';
import { acceptable } from './causes.ts';
import { ProveError } from './prove-error.ts';

export type Options = {
  /** Bases before the path of the list: `https://app.example.com`, or with a stage `https://….amazonaws.com/dev`; without a slash at the end. */
  bases: Record<Side, string>;
  /** Whole values of `Authorization`. */
  authorizations: Record<Side, string>;
  logs: string[];
  /** Of the list, with its slash: in the log behind any prefix, and behind both bases. */
  path: string;
  /** `prove` for prove.html, prove.json and prove.jsonl. */
  out: string;
  /** Requests a second, to each side. */
  rate: number;
  /** Queries at a time. */
  concurrency: number;
  timeoutMs: number;
  /** At most so many queries, those that were sent most. */
  most: number;
  /** Of how many queries the links are followed, those that were sent most. */
  walks: number;
  /** Ids of causes that do not matter to this team. */
  accepted: string[];
  showValues: boolean;
  /** Whether to forget what an earlier run has proved. */
  again: boolean;
};

export type Side = 'old' | 'new';

export const usage = `\
npm run prove -- --old <URL> --new <URL> --log <file> [--log <file> …] [options]

Sends the GET and HEAD requests of access logs to the old API and to the new one, and says where their answers differ. Exits with 1 where any
difference matters, with 2 where it could not come to its end. Tokens: OLD_TOKEN and NEW_TOKEN in the environment, the key alone or with its scheme
("Bearer …").

  --path <path>       of the list (/api/users/)
  --out <name>        of the report, <name>.html and <name>.json, and of what is kept to go on, <name>.jsonl (prove)
  --rate <n>          requests a second to each side (5)
  --concurrency <n>   queries at a time (2)
  --timeout <s>       of a request (30)
  --most <n>          only the queries that were sent most
  --walks <n>         follow the links of so many queries (25)
  --accept <causes>   causes that do not matter to you, by their ids in the report, with commas between them
  --show-values       write values into the report: queries and fields, which are personal data
  --again             begin anew where an earlier run has stopped`;

const texts = ['old', 'new', 'path', 'out', 'rate', 'concurrency', 'timeout', 'most', 'walks', 'accept'] as const;

/** Throws a ProveError that says what was expected. */
export function readOptions(args: string[], environment: Record<string, string | undefined>): Options {
  const { values, positionals } = parse(args);
  const logs = [...(values.log ?? []), ...positionals];
  if (logs.length === 0) throw new ProveError('--log is missing: expected an access log, or - for what comes in.');
  const path = values.path ?? '/api/users/';
  if (!/^\/([^/?#]+\/)+$/.test(path))
    throw new ProveError('--path must begin and end with a slash, as /api/users/ does.');
  return {
    bases: { old: readBase('old', values.old), new: readBase('new', values.new) },
    authorizations: { old: readToken('OLD_TOKEN', environment), new: readToken('NEW_TOKEN', environment) },
    logs,
    path,
    out: values.out ?? 'prove',
    rate: readNumber('rate', values.rate ?? '5', 1000),
    concurrency: readNumber('concurrency', values.concurrency ?? '2', 100),
    timeoutMs: readNumber('timeout', values.timeout ?? '30', 600) * 1000,
    most: readNumber('most', values.most ?? '1000000', 1_000_000),
    walks: values.walks === '0' ? 0 : readNumber('walks', values.walks ?? '25', 10_000),
    accepted: readAccepted(values.accept),
    showValues: values['show-values'] === true,
    again: values.again === true,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...(Object.fromEntries(texts.map((name) => [name, { type: 'string' }])) as Record<
          (typeof texts)[number],
          { type: 'string' }
        >),
        log: { type: 'string', multiple: true },
        'show-values': { type: 'boolean' },
        again: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new ProveError(`${(error as Error).message}\n\n${usage}`);
  }
}

function readBase(side: Side, text = ''): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new ProveError(`--${side} must be a URL without query and password, such as https://api.example.com.`);
  }
  return url.href.replace(/\/+$/, '');
}

/** A key alone is one of `Token`; other schemes are said: `Bearer …`. */
function readToken(name: string, environment: Record<string, string | undefined>): string {
  const text = environment[name]?.trim() ?? '';
  if (!/^[\x21-\x7e]+( +[\x21-\x7e]+)?$/.test(text)) {
    throw new ProveError(`${name} must be set in the environment: a key, or a scheme and a key ("Bearer …").`);
  }
  return text.includes(' ') ? text : `Token ${text}`;
}

function readNumber(name: string, text: string, most: number): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new ProveError(`--${name} must be a whole number from 1 to ${most}.`);
  return number;
}

function readAccepted(text = ''): string[] {
  const ids = text.split(',').flatMap((id) => id.trim() || []);
  const unknown = ids.filter((id) => !acceptable.includes(id));
  if (unknown.length === 0) return ids;
  throw new ProveError(
    `--accept: ${unknown.join(', ')} cannot be accepted; expected some of ${acceptable.join(', ')}.`,
  );
}
