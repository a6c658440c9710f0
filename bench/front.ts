// A worker of servers.ts: the built function behind HTTP, on loopback. As an instance on Lambda it answers one request at a time.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import type { Handler } from '../lib/http/gateway.ts';
import { toEvent } from './subject.ts';

const { handler } = (await import(resolve('dist/handlers/users.mjs'))) as { handler: Handler };

let last = Promise.resolve();

createServer((request, response) => {
  last = last.then(() => answer(request, response)).catch((error) => void response.destroy(error));
}).listen(0, '127.0.0.1');

async function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  const [rawPath = '', rawQueryString = ''] = url.split('?');
  const event = { ...toEvent(rawQueryString), rawPath, headers: headers as Record<string, string> };
  const { statusCode = 500, headers: answered = {}, body = '', isBase64Encoded } = await handler(event);
  response.writeHead(statusCode, answered as Record<string, string>);
  response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}
