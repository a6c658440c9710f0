import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { requireDatabaseUrl, type Settings, SettingsError } from '../settings.ts';
import { escapeStray, isSocket, readConnectionString } from './connection-string.ts';

export type ConnectionSettings = Pick<Settings, 'databaseUrl'> &
  Partial<Pick<Settings, 'databaseIamAuth' | 'databaseCaFile'>>;

/** Whom a token of AWS IAM lets in, and where. */
export type SignerTarget = { hostname: string; port: number; username: string };

/** Makes the token that stands for a password, for a quarter of an hour. */
export type SignToken = (target: SignerTarget) => Promise<string>;

/** Where the database is and how to get in, for the driver. */
export function toConnection(settings: ConnectionSettings, signToken: SignToken = signWithAwsSdk): ClientConfig {
  const { databaseIamAuth = false, databaseCaFile } = settings;
  const databaseUrl = requireDatabaseUrl(settings);
  if (!databaseIamAuth && !databaseCaFile) return { connectionString: escapeStray(databaseUrl) };

  // Taken apart, because what a connection string says of TLS and password goes before what stands beside it.
  const { ssl, ...parts } = readConnectionString(databaseUrl);
  const { host = '', port = 5432, user = '' } = parts;
  if (databaseIamAuth && (user === '' || host === '' || isSocket(host))) {
    throw new SettingsError('Bad settings: DATABASE_URL must name a user and a host where DATABASE_IAM_AUTH is on.');
  }
  return {
    ...parts,
    port,
    // A function is asked anew for each connection.
    ...(databaseIamAuth && { password: () => signToken({ hostname: host, port, username: user }) }),
    // On a socket, which no network carries, PostgreSQL has no TLS.
    ssl: !isSocket(host) && verify(ssl, databaseCaFile),
  };
}

/** Certificate and name, whatever the URL says: whoever reads a token on its way may use it as well. A certificate of the client's stays. */
function verify(ofUrl: ClientConfig['ssl'], caFile: string | undefined): ConnectionOptions {
  const { ca, cert, key } = typeof ofUrl === 'object' ? ofUrl : {};
  const authorities = caFile ? readFileSync(caFile, 'utf8') : ca;
  return {
    rejectUnauthorized: true,
    ...(authorities && { ca: authorities }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

async function signWithAwsSdk(target: SignerTarget): Promise<string> {
  // Lambda's runtime brings it; only who uses IAM pays for loading it.
  const { Signer } = await import('@aws-sdk/rds-signer');
  return new Signer(target).getAuthToken();
}
