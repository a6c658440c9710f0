import { readFileSync } from 'node:fs';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import type { ClientConfig } from 'pg';
import { requireDatabaseUrl, type Settings, SettingsError } from '../settings.ts';
import { escapeStray, isSocket, readConnectionString } from './connection-string.ts';
import { type SignToken, signToken, type TokenTarget } from './iam-token.ts';

type AwsSettings = 'awsRegion' | 'awsAccessKeyId' | 'awsSecretAccessKey' | 'awsSessionToken';

export type ConnectionSettings = Pick<Settings, 'databaseUrl'> &
  Partial<Pick<Settings, 'databaseIamAuth' | 'databaseCaFile' | AwsSettings>>;

/** Where the database is and how to get in, for the driver. */
export function toConnection(settings: ConnectionSettings, sign: SignToken = signToken): ClientConfig {
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
    ...(databaseIamAuth && { password: toPassword({ hostname: host, port, username: user }, settings, sign) }),
    // On a socket, which no network carries, PostgreSQL has no TLS.
    ssl: !isSocket(host) && verify(ssl, databaseCaFile),
  };
}

/** Certificate and name, whatever the URL says: whoever reads a token on its way may use it as well. A certificate of the client's stays. */
function verify(ofUrl: ClientConfig['ssl'], caFile: string | undefined): ConnectionOptions {
  const { ca, cert, key } = typeof ofUrl === 'object' ? ofUrl : {};
  // Beside those that Node.js trusts: a proxy's certificate may come from one of them, the database's from the file.
  const authorities = caFile ? [...rootCertificates, readFileSync(caFile, 'utf8')] : ca;
  return {
    rejectUnauthorized: true,
    ...(authorities && { ca: authorities }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

/** A function is asked anew for each connection. */
function toPassword(target: TokenTarget, settings: ConnectionSettings, sign: SignToken): () => string {
  const { awsRegion: region, awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey } = settings;
  if (!region || !accessKeyId || !secretAccessKey) {
    throw new SettingsError(
      'Bad settings: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed where DATABASE_IAM_AUTH is on. Lambda sets them; ' +
        'elsewhere: eval "$(aws configure export-credentials --format env)".',
    );
  }
  const sessionToken = settings.awsSessionToken;
  return () => sign(target, { region, accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
}
