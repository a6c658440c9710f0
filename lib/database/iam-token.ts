import { createHash, createHmac } from 'node:crypto';

/** Whom a token of AWS IAM lets in, and where. */
export type TokenTarget = { hostname: string; port: number; username: string };

/** As Lambda has them in a function's environment. */
export type AwsCredentials = { region: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string };

export type SignToken = (target: TokenTarget, credentials: AwsCredentials) => string;

const lifetimeSeconds = 900;

/**
 * A password that RDS and RDS Proxy take for a quarter of an hour: the address of a request for `rds-db:connect`, signed in its query by AWS
 * Signature Version 4, without its scheme. Made without a call. Not by the AWS SDK: not each runtime of Lambda's has this part of it, and
 * loading it takes longer than connecting.
 */
export function signToken(target: TokenTarget, credentials: AwsCredentials, now = new Date()): string {
  const { region, accessKeyId, secretAccessKey, sessionToken } = credentials;
  const host = `${target.hostname}:${target.port}`;
  const time = now.toISOString().replace(/[-:]|\.\d+/g, ''); // 20260221T072025Z
  const scope = [time.slice(0, 8), region, 'rds-db', 'aws4_request'];
  const parameters = {
    Action: 'connect',
    DBUser: target.username,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': [accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    'X-Amz-Expires': `${lifetimeSeconds}`,
    ...(sessionToken && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  };
  const request = ['GET', '/', toQuery(parameters), `host:${host}`, '', 'host', sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  return `${host}/?${toQuery({ ...parameters, 'X-Amz-Signature': hmac(key, toSign).toString('hex') })}`;
}

/** In the order of the names, which is part of what is signed. */
const toQuery = (parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .sort()
    .join('&');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986, of which encodeURIComponent leaves five characters out. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
