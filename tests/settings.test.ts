import { expect, test } from 'vitest';
import { readSettings, requireDatabaseUrl, SettingsError } from '../lib/settings.ts';

const expectations = {
  DATABASE_URL: 'a URL such as postgres://user:password@host:5432/database',
  DATABASE_IAM_AUTH: 'on or off',
  DATABASE_CA_FILE: 'the path of a file with certificates in PEM',
  DATABASE_NAMED_STATEMENTS: 'on or off',
  QUERY_TIMEOUT_MS: 'a whole number from 100 to 12000',
  PUBLIC_URL:
    'an absolute http or https URL without white space, password, query and fragment, such as https://api.example.com',
  MEDIA_URL:
    'an absolute http or https URL without white space, password, query and fragment, such as https://api.example.com',
  AUDIT_LOG: 'on or off',
  UNKNOWN_PARAMETERS: 'refuse or report',
  PAGES: 'on or off',
  ONLINE_WINDOW_SECONDS: 'a whole number from 1 to 31536000',
  PORT: 'a whole number from 1 to 65535',
  TOKEN_HASH: 'sha256 or sha512 or sha512-hex',
};

test('without an environment the settings are the defaults', () => {
  expect(readSettings({})).toEqual({
    databaseUrl: undefined,
    databaseIamAuth: false,
    databaseCaFile: undefined,
    namedStatements: true,
    queryTimeoutMs: 5000,
    publicUrl: undefined,
    mediaUrl: 'https://media.example.com/',
    auditLog: false,
    unknownParameters: 'refuse',
    pages: true,
    onlineWindowSeconds: 300,
    tokenHash: 'sha256',
    port: 3000,
    localDirectory: '.local',
  });
});

test('an empty value means not set', () => {
  const names = [...Object.keys(expectations), 'LOCAL_DIRECTORY'];
  expect(readSettings(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readSettings({}));
});

test('every setting is read', () => {
  expect(
    readSettings({
      DATABASE_URL: 'postgresql://api:p%40ss@db.example.com/users?sslmode=require',
      DATABASE_IAM_AUTH: 'on',
      DATABASE_CA_FILE: 'package.json',
      DATABASE_NAMED_STATEMENTS: 'off',
      QUERY_TIMEOUT_MS: '100',
      PUBLIC_URL: 'https://api.example.com/v1//',
      MEDIA_URL: 'http://media.example.org/files',
      AUDIT_LOG: 'on',
      UNKNOWN_PARAMETERS: 'report',
      PAGES: 'off',
      ONLINE_WINDOW_SECONDS: '31536000',
      TOKEN_HASH: 'sha512-hex',
      PORT: '65535',
      LOCAL_DIRECTORY: '/somewhere else',
    }),
  ).toEqual({
    databaseUrl: 'postgresql://api:p%40ss@db.example.com/users?sslmode=require',
    databaseIamAuth: true,
    databaseCaFile: 'package.json',
    namedStatements: false,
    queryTimeoutMs: 100,
    publicUrl: 'https://api.example.com/v1',
    mediaUrl: 'http://media.example.org/files/',
    auditLog: true,
    unknownParameters: 'report',
    pages: false,
    onlineWindowSeconds: 31_536_000,
    tokenHash: 'sha512-hex',
    port: 65_535,
    localDirectory: '/somewhere else',
  });
});

test.each<[name: keyof typeof expectations, value: string]>([
  ['DATABASE_URL', 'hunter2'],
  ['DATABASE_URL', 'mysql://root:hunter2@localhost/users'],
  ['DATABASE_URL', ' postgres://api:hunter2@localhost/users'],
  ['DATABASE_URL', '/run/postgresql hunter2'],
  ['DATABASE_URL', 'socket:/run/postgresql?db=hunter2'],
  ['DATABASE_URL', 'host=localhost password=hunter2'],
  ['DATABASE_URL', 'postgres:hunter2'],
  ['DATABASE_URL', 'postgres://api:hunter2@db.example.com:65536/users'],
  ['DATABASE_URL', 'postgres://api:hunter2@db.example.com:0/users'],
  ['DATABASE_URL', 'postgres://api:hunter2@db.example.com/users?port=65536'],
  ['DATABASE_URL', 'postgres://api:hunter2@db.example.com/users?port=hunter2'],
  ['DATABASE_URL', 'postgres://api:hunter2@a.example.com,b.example.com/users'],
  ['DATABASE_URL', 'postgres://api:hunter2@a.example.com:5432,b.example.com:5432/users'],
  ['DATABASE_URL', 'postgres://api:hunter2@/users?host=a.example.com,b.example.com'],
  ['DATABASE_URL', 'postgres://api:hunter2@[::1/users'],
  ['DATABASE_URL', 'postgres://api:hunter2%e4@db.example.com/users'],
  ['DATABASE_URL', 'postgres://api:hunter2/3@db.example.com/users'],
  ['DATABASE_URL', 'postgres://api:hunter2@db.example.com/users?sslrootcert=/no/such/hunter2'],
  ['DATABASE_IAM_AUTH', '1'],
  ['DATABASE_CA_FILE', '/no/such/hunter2.pem'],
  ['DATABASE_NAMED_STATEMENTS', 'true'],
  ['DATABASE_NAMED_STATEMENTS', 'ON'],
  ['QUERY_TIMEOUT_MS', '99'],
  ['QUERY_TIMEOUT_MS', '12001'],
  ['QUERY_TIMEOUT_MS', '5s'],
  ['QUERY_TIMEOUT_MS', '1e3'],
  ['PUBLIC_URL', 'api.example.com'],
  ['PUBLIC_URL', '/api'],
  ['PUBLIC_URL', 'ftp://api.example.com'],
  ['PUBLIC_URL', 'https://api.example.com/?'],
  ['PUBLIC_URL', 'https://api.example.com/?key=hunter2'],
  ['PUBLIC_URL', 'https://api.example.com#'],
  ['PUBLIC_URL', 'https://api.example.com '],
  ['PUBLIC_URL', 'https://api.exa\nmple.com'],
  ['PUBLIC_URL', 'https://ann@api.example.com'],
  ['PUBLIC_URL', 'https://ann:hunter2@api.example.com'],
  ['PUBLIC_URL', 'https://:hunter2@api.example.com'],
  ['PUBLIC_URL', 'https://api.example.com/our api'],
  ['PUBLIC_URL', 'https://api.example.com/our\u00a0api'],
  ['PUBLIC_URL', 'https://api.example.com:hunter2'],
  ['PUBLIC_URL', 'https://api.example.com:70000'],
  ['PUBLIC_URL', 'https://'],
  ['PUBLIC_URL', 'xhttps://api.example.com'],
  ['PUBLIC_URL', 'https://a<b'],
  ['MEDIA_URL', 'media'],
  ['MEDIA_URL', 'https://media.example.com/our files'],
  ['MEDIA_URL', 'https://ann:hunter2@media.example.com'],
  ['MEDIA_URL', 'https://media.example.com/#hunter2'],
  ['AUDIT_LOG', 'yes'],
  ['PAGES', 'no'],
  ['ONLINE_WINDOW_SECONDS', '0'],
  ['ONLINE_WINDOW_SECONDS', '31536001'],
  ['ONLINE_WINDOW_SECONDS', '-5'],
  ['TOKEN_HASH', 'sha1'],
  ['TOKEN_HASH', 'SHA256'],
  ['PORT', '0'],
  ['PORT', '65536'],
  ['PORT', '30.5'],
])('%s=%j is refused by name, without the value', (name, value) => {
  const message = messageOf(() => readSettings({ [name]: value }));
  expect(message).toBe(`Bad settings: ${name} must be ${expectations[name]}.`);
});

test.each([
  ['https://api.exämple.com', 'https://api.xn--exmple-cua.com'],
  ['https://例え.テスト/ä', 'https://xn--r8jz45g.xn--zckzah/%C3%A4'],
  ['https://api.example.com/%C3%A4', 'https://api.example.com/%C3%A4'],
  ['https://api.example.com/a"<b>', 'https://api.example.com/a%22%3Cb%3E'],
  ['HTTPS://API.Example.com/V1', 'https://api.example.com/V1'],
  ['https://api.example.com:443', 'https://api.example.com'],
  ['http://localhost:3000/', 'http://localhost:3000'],
  ['https://[2001:db8::1]:8443/v1', 'https://[2001:db8::1]:8443/v1'],
  ['https:api.example.com', 'https://api.example.com'],
  ['https:\\\\api.example.com\\v1', 'https://api.example.com/v1'],
])('PUBLIC_URL and MEDIA_URL of %s are %s in a header', (value, url) => {
  const { publicUrl, mediaUrl } = readSettings({ PUBLIC_URL: value, MEDIA_URL: value });
  expect([publicUrl, mediaUrl]).toEqual([url, `${url}/`]);
  expect(publicUrl).toMatch(/^[\x21-\x7e]+$/);
});

test.each([
  'postgres://',
  'postgresql:///users',
  'POSTGRES://api@db.example.com/users',
  'postgres://api:100%@db.example.com/users',
  'postgres://api:secret@/users?host=/run/postgresql',
  'postgres://api@[::1]:1/users',
  'postgres://api@[::1]:65535/users',
  'postgres://api:100%@[::1]/users?options=-csearch_path%3Dapp',
])('DATABASE_URL=%s is read as it is', (databaseUrl) => {
  expect(readSettings({ DATABASE_URL: databaseUrl })).toMatchObject({ databaseUrl });
});

test('all bad settings are named at once', () => {
  const message = messageOf(() =>
    readSettings({ PORT: 'x', QUERY_TIMEOUT_MS: 'y', MEDIA_URL: 'z', PUBLIC_URL: 'https://a.example' }),
  );
  expect(message).toBe(
    `Bad settings: QUERY_TIMEOUT_MS must be ${expectations.QUERY_TIMEOUT_MS}; MEDIA_URL must be ${expectations.MEDIA_URL}; ` +
      `PORT must be ${expectations.PORT}.`,
  );
});

test('a program that needs a database says so', () => {
  const databaseUrl = 'postgres://api@db.example.com/users';
  expect(requireDatabaseUrl(readSettings({ DATABASE_URL: databaseUrl }))).toBe(databaseUrl);
  expect(messageOf(() => requireDatabaseUrl(readSettings({})))).toBe(
    `Bad settings: DATABASE_URL is missing; it is ${expectations.DATABASE_URL}.`,
  );
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
  throw new Error('Nothing was thrown.');
}
