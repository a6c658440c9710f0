import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { requireDatabaseUrl, type Settings } from '../settings.ts';

export type ConnectionSettings = Pick<Settings, 'databaseUrl'> &
  Partial<Pick<Settings, 'databaseIamAuth' | 'databaseCaFile'>>;

/** Whom a token of AWS IAM lets in, and where. */
export type SignerTarget = { hostname: string; port: number; username: string };

/** Makes the token that stands for a password, for a quarter of an hour. */
export type SignToken = (target: SignerTarget) => Promise<string>;

/** Where the database is and how to get in, for the driver. */
export function toConnection(settings: ConnectionSettings, signToken: SignToken = signWithAwsSdk): ClientConfig {
  const { databaseIamAuth = false, databaseCaFile } = settings;
  const connectionString = requireDatabaseUrl(settings);
  if (!databaseIamAuth && !databaseCaFile) return { connectionString };

  // Taken apart, because what a connection string says of TLS and password goes before what stands beside it.
  const { hostname, port, username, password, pathname } = new URL(connectionString);
  const target = { hostname, port: Number(port || 5432), username: decodeURIComponent(username) };
  return {
    host: target.hostname,
    port: target.port,
    user: target.username,
    database: decodeURIComponent(pathname.slice(1)),
    // A function is asked anew for each connection.
    password: databaseIamAuth ? () => signToken(target) : decodeURIComponent(password),
    // Verified, certificate and name: whoever reads a token on its way may use it as well.
    ssl: { rejectUnauthorized: true, ...(databaseCaFile && { ca: readFileSync(databaseCaFile, 'utf8') }) },
  };
}

async function signWithAwsSdk(target: SignerTarget): Promise<string> {
  // Lambda's runtime brings it; only who uses IAM pays for loading it.
  const { Signer } = await import('@aws-sdk/rds-signer');
  return new Signer(target).getAuthToken();
}
