import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

/** What a connection string says of TLS, which `ssl` holds as the driver takes it. */
const tlsParameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];

/**
 * `100%` as `100%25`, as whoever pastes a password may have it. The parser does so itself, but then takes each `%3D` beside it for three
 * characters, and an address of IPv6 for none.
 */
export const escapeStray = (text: string): string => text.replace(/%(?![\da-f]{2})/gi, '%25').replaceAll(' ', '%20');

/**
 * A connection string, read by the driver's own parser. Throws where that refuses it or the driver could connect nowhere by it; the message
 * may quote it.
 */
export function readConnectionString(text: string): ClientConfig {
  // The parser takes any text at all, for the name of a database or the path of a socket.
  if (!/^postgres(ql)?:\/\//i.test(text)) throw new Error('No URL of PostgreSQL.');
  const entries = Object.entries(parseIntoClientConfig(escapeStray(text))).filter(
    ([name]) => !tlsParameters.includes(name),
  );
  const config: ClientConfig = Object.fromEntries(entries);
  const { host = '', port = 5432 } = config;
  if (port < 1 || port > 65_535) throw new Error('No port.');
  // libpq tries several in turn, the driver takes them for the name of one.
  if (host.includes(',')) throw new Error('More hosts than one.');
  return config;
}

/** Whether it is a folder with the server's socket, as the driver takes it. */
export const isSocket = (host: string): boolean => host.startsWith('/');
