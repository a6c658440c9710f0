import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import pg from 'pg';
import { hashKey, selectCaller } from '../lib/auth.ts';
import type { Handler } from '../lib/http.ts';
import { compile } from '../lib/schema.ts';
import { selectCount, selectUsers } from '../lib/users/list.ts';
import { readUserQuery } from '../lib/users/query.ts';
import { benchKey } from './datasets.ts';

// The function logs a line per request; here it is made and thrown away, for it is not the terminal that is measured.
console.log = (line: unknown) => void JSON.stringify(line);

/** Answers a query of `GET /api/users/`, as text where it is not compressed. */
export type Subject = (query: string) => Promise<{ status: number; body: string }>;

/** The built Lambda function, against this database. Each import is an instance of its own. */
export async function openHandler(databaseUrl: string, environment: Record<string, string> = {}): Promise<Subject> {
  Object.assign(process.env, { DATABASE_URL: databaseUrl, QUERY_TIMEOUT_MS: '', ...environment });
  const { handler } = (await import(`../dist/handlers/users.mjs?${crypto.randomUUID()}`)) as { handler: Handler };
  return async (query) => {
    const { statusCode = 0, body = '' } = await handler(toEvent(query));
    // An answer of another kind would be measured as a fast one.
    if (statusCode !== 200 && statusCode !== 503) throw new Error(`?${query} is a ${statusCode}: ${body}`);
    return { status: statusCode, body };
  };
}

/** An event of an HTTP API, as far as the function looks at it. */
export const toEvent = (query: string): APIGatewayProxyEventV2 =>
  ({
    version: '2.0',
    rawPath: '/api/users/',
    rawQueryString: query,
    headers: { authorization: `Token ${benchKey}` },
    requestContext: { requestId: 'bench', domainName: 'api.example.com', stage: '$default', http: { method: 'GET' } },
  }) as unknown as APIGatewayProxyEventV2;

const window = { onlineWindowSeconds: 300 };

/** What nobody can do without: the same two statements with the same values, named where the function names them. */
export async function openDriver(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const caller = { name: 'caller', text: selectCaller.sql, values: [hashKey(benchKey)] };
  return {
    run: (query: string) => {
      const { sql, parameters } = selectUsers(readUserQuery(query), window);
      const list = { text: sql, values: [...parameters], ...(query === '' && { name: 'default-page' }) };
      return async () => {
        await client.query(caller);
        await client.query(list);
      };
    },
    count: (query: string) => {
      const { sql, parameters } = compile(selectCount(readUserQuery(query), window));
      return () => client.query(sql, [...parameters]);
    },
    end: () => client.end(),
  };
}
