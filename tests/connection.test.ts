import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { Signer } from '@aws-sdk/rds-signer';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { authenticate } from '../lib/auth.ts';
import { type ConnectionSettings, toConnection } from '../lib/database/connection.ts';
import { type Db, openDatabase } from '../lib/database/database.ts';
import { type SignToken, signToken } from '../lib/database/iam-token.ts';
import { readSettings, SettingsError } from '../lib/settings.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { postgresUser } from '../scripts/servers/postgres-programs.ts';
import type { PostgresServer } from '../scripts/servers/postgres-server.ts';
import { keys } from './setup/people.ts';
import { requestOf } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

test('a plain URL goes to the driver as it is', () => {
  const databaseUrl = 'postgres://api:secret@db.example.com/users?sslmode=verify-full';
  expect(toConnection({ databaseUrl })).toEqual({ connectionString: databaseUrl });
});

const environment = {
  awsRegion: 'eu-central-1',
  awsAccessKeyId: 'AKIDEXAMPLE',
  awsSecretAccessKey: 'a/b+c',
  awsSessionToken: 'd=',
};

test("with IAM the password is a token for the URL's host, port and user; TLS is verified", () => {
  const made: unknown[][] = [];
  const { password, ...rest } = toConnection(
    {
      databaseUrl: 'postgres://users%5Fapi@db.example.com/users?sslmode=disable',
      databaseIamAuth: true,
      ...environment,
    },
    (...given) => `token ${made.push(given)}`,
  );
  expect(rest).toEqual({
    host: 'db.example.com',
    port: 5432,
    user: 'users_api',
    database: 'users',
    ssl: { rejectUnauthorized: true },
  });
  const makeToken = password as () => string;
  expect([makeToken(), makeToken()]).toEqual(['token 1', 'token 2']);
  expect(made[0]).toEqual([
    { hostname: 'db.example.com', port: 5432, username: 'users_api' },
    { region: 'eu-central-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a/b+c', sessionToken: 'd=' },
  ]);
});

describe('a token is what the AWS SDK makes', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const hostname = 'users.abc.eu-central-1.rds.amazonaws.com';
  test.each([
    ['for an instance', { hostname, port: 5432, username: 'users_api' }, undefined],
    ['on another port', { hostname, port: 6432, username: 'users_api' }, undefined],
    ['with the token of a session', { hostname, port: 5432, username: 'users_api' }, 'IQoJb3JpZ2luX2VjE+/=='],
    ['for a name of all characters', { hostname, port: 5432, username: "o'wner (x)*! ünï@%+~" }, 'a b'],
  ])('%s', async (_, target, sessionToken) => {
    const keys = {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      ...(sessionToken && { sessionToken }),
    };
    for (const now of ['2026-02-21T07:20:25.338Z', '2026-12-31T23:59:59.999Z']) {
      vi.setSystemTime(now);
      const signer = new Signer({ ...target, region: 'eu-central-1', credentials: keys });
      expect(signToken(target, { region: 'eu-central-1', ...keys })).toBe(await signer.getAuthToken());
    }
  });
});

test.each(['awsRegion', 'awsAccessKeyId', 'awsSecretAccessKey'] as const)(
  'with IAM and without %s it says so at the start',
  (missing) => {
    const databaseUrl = 'postgres://api@db.example.com/users';
    expect(() => toConnection({ databaseUrl, databaseIamAuth: true, ...environment, [missing]: undefined })).toThrow(
      /^Bad settings: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed/,
    );
  },
);

test.each([
  ['no user', 'postgres://db.example.com/users'],
  ['no host', 'postgres://api@/users'],
  ['a socket for a host', 'postgres://api@/users?host=/run/postgresql'],
])('with IAM a URL of %s is refused at the start, for a token names both', (_, databaseUrl) => {
  expect(() => toConnection({ databaseUrl, databaseIamAuth: true })).toThrow(
    new SettingsError('Bad settings: DATABASE_URL must name a user and a host where DATABASE_IAM_AUTH is on.'),
  );
});

describe('a connection string means the same to the driver, with DATABASE_CA_FILE and with IAM', () => {
  /** What the driver makes of it, but for TLS and password. */
  const read = (settings: ConnectionSettings) => {
    const { connectionParameters } = new pg.Client(toConnection(settings)) as unknown as {
      connectionParameters: Record<string, unknown>;
    };
    const { ssl: _, ...rest } = connectionParameters;
    return rest;
  };
  const path = '/run/postgresql';

  test.each<[databaseUrl: string, says: object]>([
    ['postgres://api:x@db.example.com:6432/users', { user: 'api', host: 'db.example.com', port: 6432 }],
    ['postgresql://api@db.example.com/users', { host: 'db.example.com', port: 5432, database: 'users' }],
    ['postgres://api@[::1]:6432/users', { host: '::1', port: 6432 }],
    ['postgres://api@[2001:db8::7]/users', { host: '2001:db8::7', port: 5432 }],
    ['postgres://api%40tenant:x@db.example.com/users', { user: 'api@tenant', host: 'db.example.com' }],
    ['postgres://api@db.example.com', { database: 'api' }],
    ['postgres://api@db.example.com/', { database: 'api' }],
    ['postgres://api@db.example.com/a%20b', { database: 'a b' }],
    ['postgres://api:100%@db.example.com/users', { user: 'api', host: 'db.example.com', database: 'users' }],
    ['postgres://api:1%@[::1]/a%20b?options=-csearch_path%3Dapp', { host: '::1', options: '-csearch_path=app' }],
    ['postgres://api:1%2@[::1]/a%20b?options=-csearch_path%3Dapp', { host: '::1', options: '-csearch_path=app' }],
    ['postgres://api@db.example.com/users?options=-csearch_path%3Dapp', { options: '-csearch_path=app' }],
    ['postgres://api@db.example.com/users?application_name=staff', { application_name: 'staff' }],
    ['postgres://api@db.example.com/users?statement_timeout=700', { statement_timeout: '700' }],
    ['postgres://api@db.example.com/users?connect_timeout=60', { connect_timeout: 0 }], // the driver has its own, and so has the API
    ['postgres://db.example.com/users?user=api&port=6432', { user: 'api', port: 6432 }],
    ['postgres://api@db.example.com/users?sslmode=disable', { database: 'users' }],
    ['postgres://api@db.example.com/users?sslmode=verify-full&sslnegotiation=direct', { sslnegotiation: 'direct' }],
  ])('%s', (databaseUrl, says) => {
    const plain = read({ databaseUrl });
    expect(plain).toMatchObject(says);
    expect(read({ databaseUrl, databaseCaFile: 'package.json' })).toEqual(plain);
    expect(read({ databaseUrl, databaseIamAuth: true, ...environment })).toEqual(plain);
  });

  test.each([
    [
      'postgres://api:x@/users?host=/run/postgresql',
      { host: path, user: 'api', database: 'users', isDomainSocket: true },
    ],
    ['postgres:///users?host=/run/postgresql&user=api&port=6432', { host: path, user: 'api', port: 6432 }],
    ['postgres://%2Frun%2Fpostgresql/users', { host: path, database: 'users' }],
  ])('%s', (databaseUrl, says) => {
    expect(read({ databaseUrl })).toMatchObject(says);
    expect(read({ databaseUrl, databaseCaFile: 'package.json' })).toEqual(read({ databaseUrl }));
  });

  test.each([
    ['50%', '50%'],
    ['50%25', '50%'],
    ['a%zz b', 'a%zz b'],
    ['%%', '%%'],
    ['%2F 1%', '/ 1%'],
    ['p%40ss', 'p@ss'],
    ['p@ss', 'p@ss'],
  ])('the password %s is %s', (written, password) => {
    const databaseUrl = `postgres://api:${written}@db.example.com/users`;
    expect(new pg.Client(toConnection({ databaseUrl })).password).toBe(password);
    expect(toConnection({ databaseUrl, databaseCaFile: 'package.json' })).toMatchObject({ password });
  });
});

test('DATABASE_CA_FILE keeps the certificate of a client, and lets nothing weaken what it verifies', () => {
  const tls = 'sslmode=verify-ca&uselibpqcompat=true&sslrootcert=tsconfig.json&sslcert=biome.json&sslkey=openapi.json';
  const databaseUrl = `postgres://api@db.example.com/users?${tls}`;
  const read = (file: string) => readFileSync(file, 'utf8');
  expect(toConnection({ databaseUrl, databaseCaFile: 'package.json' })).toEqual({
    host: 'db.example.com',
    port: 5432,
    user: 'api',
    password: '',
    database: 'users',
    ssl: {
      rejectUnauthorized: true,
      ca: [...rootCertificates, read('package.json')],
      cert: read('biome.json'),
      key: read('openapi.json'),
    },
  });
});

describe.skipIf(!canStartServer)('a server with TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-tls-'));
  let server: PostgresServer;
  let admin: ReturnType<typeof openForOperators>;

  /** A certificate that vouches for itself; the server reads its key as its own user. */
  function makeCertificate(name: string, subject: string): { cert: string; key: string } {
    const cert = join(folder, `${name}.crt`);
    const key = join(folder, `${name}.key`);
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    const names = ['-subj', '/CN=test', '-addext', `subjectAltName=${subject}`];
    const { status, stderr } = spawnSync('openssl', [...args, ...names, '-keyout', key, '-out', cert], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    const owner = postgresUser();
    if (owner) for (const file of [cert, key]) chownSync(file, owner.uid, owner.gid);
    return { cert, key };
  }

  beforeAll(async () => {
    chmodSync(folder, 0o777); // for the socket, too
    const { cert, key } = makeCertificate('server', 'IP:127.0.0.1,IP:::1');
    makeCertificate('other', 'IP:127.0.0.1');
    server = await startTestServer({
      ssl: 'on',
      ssl_cert_file: cert,
      ssl_key_file: key,
      listen_addresses: '127.0.0.1,::1',
      unix_socket_directories: folder,
    });
    admin = openForOperators(server.url);
    const rules = join(server.dataDir, 'pg_hba.conf');
    // As RDS does it: TLS alone, and the token in place of a password in clear.
    writeFileSync(
      rules,
      `hostssl all users_api 127.0.0.1/32 password\nhostssl all users_api ::1/128 password\nlocal all users_api password\nhost all users_api all reject\n${readFileSync(rules, 'utf8')}`,
    );
    await sql`select pg_reload_conf()`.execute(admin);
    await runCommand(admin, ['create-reader', 'users_api']);
    return async () => {
      await admin.destroy();
      await server.remove();
      rmSync(folder, { recursive: true });
    };
  });

  const accept = (token: string) => sql`alter role users_api password ${sql.lit(token)}`.execute(admin);

  const open = (environment: Record<string, string>, sign?: SignToken): Db =>
    openDatabase(
      readSettings({
        DATABASE_URL: urlWith(server.url, { username: 'users_api', password: 'none' }),
        DATABASE_CA_FILE: join(folder, 'server.crt'),
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        ...environment,
      }),
      sign,
    );

  const ask = (db: Db) =>
    authenticate(db, requestOf('', { authorization: `Token ${keys.ann}` }), { tokenHash: 'sha256' });

  const disconnect = () =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'users-api'`.execute(admin);

  test('each new connection gets in with a new token', async () => {
    let tokens = 0;
    const db = open({ DATABASE_IAM_AUTH: 'on' }, () => {
      tokens += 1;
      return `token-${tokens}`;
    });
    await accept('token-1');
    await ask(db);
    await ask(db);
    expect(tokens).toBe(1);
    await accept('token-2');
    await disconnect();
    expect((await ask(db)).id).toBe(1);
    expect(tokens).toBe(2);
    await db.end();
  });

  test('a token that is refused is a 503', async () => {
    const db = open({ DATABASE_IAM_AUTH: 'on' });
    const error = await ask(db).catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 503, cause: { code: '28P01' } });
    await db.end();
  });

  test('a password goes over verified TLS as well', async () => {
    await accept('kept secret');
    const db = open({ DATABASE_URL: urlWith(server.url, { username: 'users_api', password: 'kept secret' }) });
    expect((await ask(db)).id).toBe(1);
    await db.end();
  });

  describe.each<[how: string, environment: Record<string, string>]>([
    ['', { DATABASE_CA_FILE: '' }],
    [' with DATABASE_CA_FILE', {}],
    [' with IAM', { DATABASE_IAM_AUTH: 'on' }],
  ])('a connection string%s', (how, environment) => {
    const password = '100% kept secret';
    const query = async (parts: string): Promise<object | undefined> => {
      const DATABASE_URL = parts.replace(':port', `:${server.port}`).replace('folder', folder);
      const tls = how === '' ? `&sslmode=verify-full&sslrootcert=${folder}/server.crt` : '&sslmode=disable';
      await accept(password);
      const db = open({ DATABASE_URL: DATABASE_URL.replace('&tls', tls), ...environment }, () => password);
      const [row] = await db.run(
        sql<object>`select current_user as user, current_schema() as schema, inet_server_addr() as address,
          (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as tls, current_setting('application_name') as name`.compile(
          admin,
        ),
      );
      await db.end();
      return row;
    };

    test('gets in by an address of IPv6, with a raw % in the password', async () => {
      const row = await query('postgres://users_api:100% kept secret@[::1]:port/postgres?x=y&tls');
      expect(row).toEqual({ user: 'users_api', schema: 'public', address: '::1', tls: true, name: 'users-api' });
    });

    test('gets in by the address of IPv4, chooses the schema by options, and names the application', async () => {
      const options = 'options=-csearch_path%3Dpg_catalog&application_name=staff';
      const row = await query(`postgresql://users_api:100% kept secret@127.0.0.1:port/postgres?${options}&tls`);
      expect(row).toMatchObject({ schema: 'pg_catalog', name: 'staff', tls: true });
    });

    test.skipIf(how === ' with IAM')('gets in by a socket, on which there is no TLS', async () => {
      const row = await query(`postgres://users_api:100% kept secret@/postgres?host=folder&port=${server.port}`);
      expect(row).toMatchObject({ user: 'users_api', address: null, tls: false });
    });
  });

  test.each([
    ['of an authority that nobody named', {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of another authority', { DATABASE_CA_FILE: 'other.crt' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', { DATABASE_CA_FILE: 'server.crt', DATABASE_URL: 'localhost' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('a certificate %s is refused before a token is sent', async (_, parts: Record<string, string>, code) => {
    const { DATABASE_CA_FILE: file, DATABASE_URL: host } = parts;
    const url = new URL(urlWith(server.url, { username: 'users_api' }));
    if (host) url.hostname = host;
    const sign = vi.fn(() => 'token');
    const db = open(
      { DATABASE_IAM_AUTH: 'on', DATABASE_URL: url.href, DATABASE_CA_FILE: file ? join(folder, file) : '' },
      sign,
    );
    const error = await ask(db).catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 503, cause: { code } });
    expect(sign).not.toHaveBeenCalled();
    await db.end();
  });
});
