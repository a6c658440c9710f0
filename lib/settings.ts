import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { readConnectionString } from './database/connection-string.ts';

const wholeNumber = (minimum: number, maximum: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d+$/),
    v.transform(Number),
    v.minValue(minimum),
    v.maxValue(maximum),
    v.description(`a whole number from ${minimum} to ${maximum}`),
  );

/** As it stands in a header: letters outside ASCII become Punycode in the host, and are percent-encoded in the path. */
const httpUrl = v.pipe(
  v.string(),
  v.check(isHttpUrl),
  v.transform((text) => new URL(text).href),
  v.description(
    'an absolute http or https URL without white space, password, query and fragment, such as https://api.example.com',
  ),
);

const readableFile = v.pipe(
  v.string(),
  v.check((path) => existsSync(path)),
  v.description('the path of a file with certificates in PEM'),
);

const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  v.pipe(v.picklist(words), v.description(words.join(' or ')));
const onOff = v.pipe(
  oneOf('on', 'off'),
  v.transform((text) => text === 'on'),
);

const databaseUrl = v.pipe(
  v.string(),
  v.check(isConnectionString),
  v.description('a URL such as postgres://user:password@host:5432/database'),
);

/** One row a setting: the name of its environment variable and its kind, whose description says what was expected of a bad value. */
const table = {
  databaseUrl: ['DATABASE_URL', v.optional(databaseUrl)],
  /** A token of AWS IAM instead of a password. */
  databaseIamAuth: ['DATABASE_IAM_AUTH', v.optional(onOff, 'off')],
  /** Of the function's role, for those tokens; Lambda sets them. */
  awsRegion: ['AWS_REGION', v.optional(v.string())],
  awsAccessKeyId: ['AWS_ACCESS_KEY_ID', v.optional(v.string())],
  awsSecretAccessKey: ['AWS_SECRET_ACCESS_KEY', v.optional(v.string())],
  awsSessionToken: ['AWS_SESSION_TOKEN', v.optional(v.string())],
  /** PEM file of certificate authorities that may vouch for the database, besides Node.js's own; TLS is then verified, whatever `sslmode` says. */
  databaseCaFile: ['DATABASE_CA_FILE', v.optional(readableFile)],
  /** Off for poolers in transaction mode that cannot keep prepared statements (PgBouncer before 1.21). */
  namedStatements: ['DATABASE_NAMED_STATEMENTS', v.optional(onOff, 'on')],
  /** Of a statement. The longest request takes two of them and a connection each: 2 × (this + 2 s), less than the gateway's 30 s. */
  queryTimeoutMs: ['QUERY_TIMEOUT_MS', v.optional(wholeNumber(100, 12_000), '5000')],
  /** Without a slash at its end. */
  publicUrl: ['PUBLIC_URL', v.optional(v.pipe(httpUrl, v.transform(withoutSlash)))],
  /** With a slash at its end. */
  mediaUrl: [
    'MEDIA_URL',
    v.optional(
      v.pipe(
        httpUrl,
        v.transform((url) => `${withoutSlash(url)}/`),
      ),
      'https://media.example.com/',
    ),
  ],
  /** Whether the log says whom a request has shown. */
  auditLog: ['AUDIT_LOG', v.optional(onOff, 'off')],
  /** What becomes of parameters that are not documented: a 400, or nothing but their names, as in Django REST framework. */
  unknownParameters: ['UNKNOWN_PARAMETERS', v.optional(oneOf('refuse', 'report'), 'refuse')],
  /** Whether the reference, the console and the OpenAPI document are served. */
  pages: ['PAGES', v.optional(onOff, 'on')],
  tokenHash: ['TOKEN_HASH', v.optional(oneOf('sha256', 'sha512', 'sha512-hex'), 'sha256')],
  onlineWindowSeconds: ['ONLINE_WINDOW_SECONDS', v.optional(wholeNumber(1, 31_536_000), '300')],
  port: ['PORT', v.optional(wholeNumber(1, 65_535), '3000')],
  /** Where `npm start` keeps the embedded database. */
  localDirectory: ['LOCAL_DIRECTORY', v.optional(v.string(), '.local')],
} as const satisfies Record<string, readonly [name: string, kind: v.GenericSchema]>;

export type Settings = { [Key in keyof typeof table]: v.InferOutput<(typeof table)[Key][1]> };

/** A setting that is missing or malformed; its message is for the operator and quotes no value: one may be a password. */
export class SettingsError extends Error {}

/** Reads the environment; an empty value means not set. Throws a SettingsError that names every bad setting. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const faults: string[] = [];
  const settings = Object.entries(table).map(([key, [name, kind]]) => {
    const result = v.safeParse(kind, environment[name] || undefined);
    if (!result.success) faults.push(`${name} must be ${v.getDescription(kind.wrapped)}`);
    return [key, result.output];
  });
  if (faults.length > 0) throw new SettingsError(`Bad settings: ${faults.join('; ')}.`);
  return Object.fromEntries(settings) as Settings;
}

/** For programs that cannot do without a database. */
export function requireDatabaseUrl(settings: Pick<Settings, 'databaseUrl'>): string {
  if (!settings.databaseUrl) {
    throw new SettingsError(
      'Bad settings: DATABASE_URL is missing; it is a URL such as postgres://user:password@host:5432/database.',
    );
  }
  return settings.databaseUrl;
}

function isHttpUrl(text: string): boolean {
  const { protocol = '', username, password } = URL.parse(text) ?? {};
  // Of the text, not of the URL: that has dropped white space, and a question mark that nothing follows.
  return /^https?:$/.test(protocol) && !/[\s?#]/.test(text) && !username && !password; // every client would read them in links
}

function isConnectionString(text: string): boolean {
  try {
    readConnectionString(text);
    return true;
  } catch {
    return false;
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
