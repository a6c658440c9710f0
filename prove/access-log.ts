/** A request as a log has it: `GET`, `/dev/api/users/?limit=5` or an absolute URL. */
export type LogEntry = { method: string; target: string };

/** What a line of a log is, where it is no request: not understood, or one whose format leaves the query out. */
export type NoEntry = 'malformed' | 'without a query';

/**
 * The requests of access logs, line by line, each format by the look of the line: combined logs of nginx and Apache, with whatever before and after
 * them; those of ALB and ELB; W3C logs as CloudFront's; a JSON object a line; plain URLs, with or without a method.
 */
export async function* readLog(lines: AsyncIterable<string>): AsyncGenerator<LogEntry | NoEntry> {
  let columns = cloudFrontColumns;
  for await (const line of lines) {
    const text = line.replace(/^\ufeff/, '').trim();
    if (text.startsWith('#Fields:')) columns = text.slice('#Fields:'.length).trim().split(/\s+/);
    if (text === '' || text.startsWith('#')) continue;
    yield readLine(text, columns) ?? 'malformed';
  }
}

function readLine(text: string, columns: string[]): LogEntry | NoEntry | undefined {
  if (text.startsWith('{')) return readJson(text);
  return readRequestLine(text) ?? readPlain(text) ?? readColumns(text, columns);
}

/** `"GET /api/users/?limit=5 HTTP/1.1"`, wherever it stands in the line. */
function readRequestLine(text: string): LogEntry | undefined {
  const [, method, target] = /"([A-Z]+) (\S+) HTTP\/[\d.]+"/.exec(text) ?? [];
  return method && target ? { method, target: toUrlText(target) } : undefined;
}

/** nginx and Apache write what is not printable, and quotes, as `\x22`; in a URL that is `%22`. */
const toUrlText = (target: string): string => target.replace(/\\x([0-9A-Fa-f]{2})/g, '%$1').replaceAll('\\"', '%22');

/** `https://app.example.com/api/users/?limit=5`, `GET /api/users/`, `?limit=5`. */
function readPlain(text: string): LogEntry | undefined {
  const [, method = 'GET', target] = /^(?:([A-Z]+)\s+)?((?:https?:\/\/|\/|\?)\S*)$/.exec(text) ?? [];
  return target ? { method, target } : undefined;
}

/** Of CloudFront's standard log, where no line says which columns there are. */
const cloudFrontColumns =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query'.split(
    ' ',
  );

function readColumns(text: string, columns: string[]): LogEntry | undefined {
  const cells = text.split(text.includes('\t') ? '\t' : /\s+/);
  const cell = (name: string) => cells[columns.indexOf(name)];
  const [method = '', path = '', query = '-'] = ['cs-method', 'cs-uri-stem', 'cs-uri-query'].map(cell);
  if (!/^[A-Z]+$/.test(method) || !path.startsWith('/')) return undefined;
  return { method, target: query === '-' ? path : `${path}?${query}` };
}

/** Names that people give them in the formats of API Gateway, nginx and CloudFront, and in logged events. */
const methodNames = ['httpMethod', 'method', 'request_method', 'requestMethod', 'cs-method'];
const pathNames = ['url', 'uri', 'request_uri', 'requestUri', 'rawPath', 'path', 'requestPath', 'cs-uri-stem'];
const queryNames = ['rawQueryString', 'queryString', 'querystring', 'query_string', 'query', 'args', 'cs-uri-query'];
const mapNames = ['multiValueQueryStringParameters', 'queryStringParameters', 'queryParameters'];

type Row = Record<string, unknown>;

function readJson(text: string): LogEntry | NoEntry | undefined {
  const row = parse(text);
  if (!row) return undefined;
  if (typeof row['request'] === 'string') return readRequestLine(`"${row['request']}"`);
  const pick = (names: string[]) => names.map((name) => row[name]).find((value) => value !== undefined);
  const method = pick(methodNames) ?? ((row['requestContext'] as Row)?.['http'] as Row)?.['method'];
  const path = pick(pathNames);
  if (typeof method !== 'string' || typeof path !== 'string') return undefined;
  const query = pick(queryNames);
  if (typeof query === 'string') return { method, target: /^-?$/.test(query) ? path : `${path}?${query}` };
  const map = pick(mapNames);
  if (map !== undefined) return { method, target: `${path}?${toQuery(map)}` };
  // A format that leaves queries out would make the plain list of every request.
  return path.includes('?') ? { method, target: path } : 'without a query';
}

function parse(text: string): Row | undefined {
  try {
    return JSON.parse(text) as Row;
  } catch {
    return undefined;
  }
}

/** Of a REST API's event: each name with its value, or with a list of them; null where there is none. */
function toQuery(map: unknown): string {
  const pairs = Object.entries((map ?? {}) as Row).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, String(value)]),
  );
  return new URLSearchParams(pairs).toString();
}
