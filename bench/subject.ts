import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import pg from 'pg';
import { hashKey, selectCaller } from '../lib/auth.ts';
import { compile } from '../lib/database/statement.ts';
import type { Handler } from '../lib/http/gateway.ts';
import { mayPrepare } from '../lib/users/list.ts';
import { selectCount, selectMatching } from '../lib/users/matching.ts';
import { readUserQuery } from '../lib/users/query.ts';
import { selectUsers } from '../lib/users/statement.ts';
import { benchKey } from './datasets.ts';

// The function logs a line per request; here it is made and thrown away, for it is not the terminal that is measured.
console.log = console.error = (line: unknown) => void JSON.stringify(line);

/** Answers a query of `GET /api/users/`; the body is text, or base64 where `acceptEncoding` lets it be compressed. */
export type Subject = (query: string, acceptEncoding?: string) => Promise<{ status: number; body: string }>;

/** The built Lambda function, against this database. Each import is an instance of its own. */
export async function openHandler(databaseUrl: string, environment: Record<string, string> = {}): Promise<Subject> {
  Object.assign(process.env, { DATABASE_URL: databaseUrl, QUERY_TIMEOUT_MS: '', ...environment });
  const { handler } = (await import(`../dist/handlers/users.mjs?${crypto.randomUUID()}`)) as { handler: Handler };
  return async (query, acceptEncoding) => {
    const { statusCode = 0, body = '' } = await handler(toEvent(query, acceptEncoding));
    // An answer of another kind would be measured as a fast one.
    if (statusCode !== 200 && statusCode !== 503) throw new Error(`?${query} is a ${statusCode}: ${body}`);
    return { status: statusCode, body };
  };
}

/** As many requests as V8 needs to have compiled what it is going to: an instance's first ones are the cold start's matter. */
export async function warmUp(run: () => Promise<unknown>): Promise<void> {
  for (let request = 0; request < 1500; request += 1) await run();
}

/** An event of an HTTP API, as far as the function looks at it. */
export const toEvent = (query: string, acceptEncoding?: string): APIGatewayProxyEventV2 =>
  ({
    version: '2.0',
    rawPath: '/api/users/',
    rawQueryString: query,
    headers: { authorization: `Token ${benchKey}`, ...(acceptEncoding && { 'accept-encoding': acceptEncoding }) },
    requestContext: { requestId: 'bench', domainName: 'api.example.com', stage: '$default', http: { method: 'GET' } },
  }) as unknown as APIGatewayProxyEventV2;

const queryOf = (rawQuery: string) =>
  readUserQuery({ rawQuery, headers: {}, note() {} }, { onlineWindowSeconds: 300, unknownParameters: 'refuse' });

/** Leaves each value the text that it is sent as. */
const rawTypes = { getTypeParser: () => (text: string) => text };

/**
 * What nobody can do without: the same two statements with the same values, prepared where the function prepares them. `raw`: rows are arrays of
 * texts, as they come; nothing is parsed.
 */
export async function openDriver(databaseUrl: string, { raw = false } = {}) {
  const client = new pg.Client({ connectionString: databaseUrl, ...(raw && { types: rawTypes }) });
  const rows = raw ? { rowMode: 'array' } : {};
  await client.connect();
  const caller = { name: 'caller', text: selectCaller.sql, values: [hashKey(benchKey)], ...rows };
  return {
    run: (rawQuery: string) => {
      const query = queryOf(rawQuery);
      const statement = selectUsers(query);
      const { sql: text, parameters } = statement;
      const list = {
        text,
        values: [...parameters],
        ...rows,
        ...(mayPrepare(query, statement) && { name: rawQuery || 'default page' }),
      };
      return async () => {
        await client.query(caller);
        await client.query(list);
      };
    },
    count: (rawQuery: string) => {
      const { sql, parameters } = compile(selectCount(selectMatching(queryOf(rawQuery))));
      return () => client.query(sql, [...parameters]);
    },
    end: () => client.end(),
  };
}
