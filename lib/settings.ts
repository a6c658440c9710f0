import { existsSync } from 'node:fs';
import * as v from 'valibot';

const wholeNumber = (minimum: number, maximum: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d+$/),
    v.transform(Number),
    v.minValue(minimum),
    v.maxValue(maximum),
    v.description(`a whole number from ${minimum} to ${maximum}`),
  );

const httpUrl = v.pipe(
  v.string(),
  v.check(isHttpUrl),
  v.description('an absolute http or https URL without query and fragment, such as https://api.example.com'),
);

const readableFile = v.pipe(
  v.string(),
  v.check((path) => existsSync(path)),
  v.description('the path of a file with certificates in PEM'),
);

const onOff = v.pipe(
  v.picklist(['on', 'off']),
  v.transform((text) => text === 'on'),
  v.description('on or off'),
);

/** One entry a setting; the description says, in the message about a bad value, what was expected. */
const settingsSchema = {
  DATABASE_URL: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '')),
      v.description('a URL such as postgres://user:password@host:5432/database'),
    ),
  ),
  DATABASE_IAM_AUTH: v.optional(onOff, 'off'),
  DATABASE_CA_FILE: v.optional(readableFile),
  DATABASE_NAMED_STATEMENTS: v.optional(onOff, 'on'),
  QUERY_TIMEOUT_MS: v.optional(wholeNumber(100, 12_000), '5000'),
  PUBLIC_URL: v.optional(httpUrl),
  MEDIA_URL: v.optional(httpUrl, 'https://media.example.com/'),
  AUDIT_LOG: v.optional(onOff, 'off'),
  PAGES: v.optional(onOff, 'on'),
  ONLINE_WINDOW_SECONDS: v.optional(wholeNumber(1, 31_536_000), '300'),
  PORT: v.optional(wholeNumber(1, 65_535), '3000'),
  LOCAL_DIRECTORY: v.optional(v.string(), '.local'),
};

export type Settings = {
  databaseUrl: string | undefined;
  /** A token of AWS IAM instead of a password. */
  databaseIamAuth: boolean;
  /** PEM file of the certificate authorities that may vouch for the database; TLS is then verified, whatever `sslmode` says. */
  databaseCaFile: string | undefined;
  /** Off for poolers in transaction mode that cannot keep prepared statements (PgBouncer before 1.21). */
  namedStatements: boolean;
  /** Of a statement. The longest request takes two of them and a connection each: 2 × (this + 2 s), less than the gateway's 30 s. */
  queryTimeoutMs: number;
  /** Without a slash at its end. */
  publicUrl: string | undefined;
  /** With a slash at its end. */
  mediaUrl: string;
  /** Whether the log says whom a request has shown. */
  auditLog: boolean;
  /** Whether the reference, the console and the OpenAPI document are served. */
  pages: boolean;
  onlineWindowSeconds: number;
  port: number;
  /** Where `npm start` keeps the embedded database. */
  localDirectory: string;
};

/** A setting that is missing or malformed; its message is for the operator and quotes no value: one may be a password. */
export class SettingsError extends Error {}

/** Reads the environment; an empty value means not set. Throws a SettingsError that names every bad setting. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const faults: string[] = [];
  const read = <Name extends keyof typeof settingsSchema>(name: Name) => {
    const schema = settingsSchema[name];
    const result = v.safeParse(schema, environment[name] || undefined);
    if (!result.success) faults.push(`${name} must be ${v.getDescription(schema.wrapped)}`);
    return result.output as v.InferOutput<(typeof settingsSchema)[Name]>;
  };
  const settings: Settings = {
    databaseUrl: read('DATABASE_URL'),
    databaseIamAuth: read('DATABASE_IAM_AUTH'),
    databaseCaFile: read('DATABASE_CA_FILE'),
    namedStatements: read('DATABASE_NAMED_STATEMENTS'),
    queryTimeoutMs: read('QUERY_TIMEOUT_MS'),
    publicUrl: read('PUBLIC_URL')?.replace(/\/+$/, ''),
    mediaUrl: `${read('MEDIA_URL')}`.replace(/\/*$/, '/'),
    auditLog: read('AUDIT_LOG'),
    pages: read('PAGES'),
    onlineWindowSeconds: read('ONLINE_WINDOW_SECONDS'),
    port: read('PORT'),
    localDirectory: read('LOCAL_DIRECTORY'),
  };
  if (faults.length > 0) throw new SettingsError(`Bad settings: ${faults.join('; ')}.`);
  return settings;
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
  // Of the text, not of the URL: that has dropped white space, and a question mark that nothing follows.
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '') && !/[\s?#]/.test(text);
}
