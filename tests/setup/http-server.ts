import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Handler } from '../../lib/http/gateway.ts';
import { findFreePort } from '../../scripts/servers/free-port.ts';
import { openTestDatabase } from './database.ts';
import { loadHandler, toEvent } from './request.ts';

export type HttpServer = { url: string; stop: () => Promise<void> };

/** Serves Lambda functions over HTTP on loopback, as an API Gateway before them would: the first that knows the path answers. */
export async function startHttpServer(port: number, handlers: Handler[], stage = '$default'): Promise<HttpServer> {
  const server = createServer((request, response) => {
    answer(handlers, stage, request, response).catch((error) => response.destroy(error));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The list's function over the people of `people.ts`, whose links lead back to it. */
export async function startUsersServer(): Promise<HttpServer> {
  const port = await findFreePort();
  const { url } = await openTestDatabase();
  return startHttpServer(port, [await loadHandler(url, { PUBLIC_URL: `http://127.0.0.1:${port}` })]);
}

async function answer(
  handlers: Handler[],
  stage: string,
  { url = '', method = 'GET', headers }: IncomingMessage,
  response: ServerResponse,
) {
  const [path = '', ...query] = url.split('?');
  const event = {
    ...toEvent({ method, path, query: query.join('?'), stage }),
    rawPath: path,
    headers: headers as Record<string, string>,
  };
  let result = await handlers[0]?.(event);
  for (const handler of handlers.slice(1)) {
    if (result?.statusCode === 404) result = await handler(event);
  }
  const { statusCode = 500, headers: answered = {}, body = '', isBase64Encoded } = result ?? {};
  response.writeHead(statusCode, answered as Record<string, string>);
  response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}
