import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { authenticate } from '../lib/auth.ts';
import { type SignerTarget, type SignToken, toConnection } from '../lib/database/connection.ts';
import { type Db, openDatabase } from '../lib/database/database.ts';
import { readSettings } from '../lib/settings.ts';
import { runCommand } from '../manage/commands.ts';
import { openForOperators } from '../manage/database.ts';
import { type PostgresServer, postgresUser } from '../scripts/servers/postgres-server.ts';
import { keys } from './setup/people.ts';
import { requestOf } from './setup/request.ts';
import { canStartServer, startTestServer, urlWith } from './setup/server.ts';

test('a plain URL goes to the driver as it is', () => {
  const databaseUrl = 'postgres://api:secret@db.example.com/users?sslmode=verify-full';
  expect(toConnection({ databaseUrl })).toEqual({ connectionString: databaseUrl });
});

test("with IAM the password is a token for the URL's host, port and user; TLS is verified", async () => {
  const targets: SignerTarget[] = [];
  const { password, ...rest } = toConnection(
    { databaseUrl: 'postgres://users%5Fapi@db.example.com/users?sslmode=disable', databaseIamAuth: true },
    async (target) => {
      targets.push(target);
      return `token ${targets.length}`;
    },
  );
  expect(rest).toEqual({
    host: 'db.example.com',
    port: 5432,
    user: 'users_api',
    database: 'users',
    ssl: { rejectUnauthorized: true },
  });
  const makeToken = password as () => Promise<string>;
  expect([await makeToken(), await makeToken()]).toEqual(['token 1', 'token 2']);
  expect(targets[0]).toEqual({ hostname: 'db.example.com', port: 5432, username: 'users_api' });
});

test("the token comes from the AWS SDK of Lambda's runtime", async () => {
  // Not installed here: a stand-in of the same name, as the runtime has it.
  const made: unknown[] = [];
  vi.doMock('@aws-sdk/rds-signer', () => ({
    Signer: class {
      constructor(target: unknown) {
        made.push(target);
      }
      getAuthToken = async () => 'signed';
    },
  }));
  const { password } = toConnection({ databaseUrl: 'postgres://api@db.example.com:6432/users', databaseIamAuth: true });
  expect(await (password as () => Promise<string>)()).toBe('signed');
  expect(made).toEqual([{ hostname: 'db.example.com', port: 6432, username: 'api' }]);
  vi.doUnmock('@aws-sdk/rds-signer');
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
    chmodSync(folder, 0o755);
    const { cert, key } = makeCertificate('server', 'IP:127.0.0.1');
    makeCertificate('other', 'IP:127.0.0.1');
    server = await startTestServer({ ssl: 'on', ssl_cert_file: cert, ssl_key_file: key });
    admin = openForOperators(server.url);
    const rules = join(server.dataDir, 'pg_hba.conf');
    // As RDS does it: TLS alone, and the token in place of a password in clear.
    writeFileSync(
      rules,
      `hostssl all users_api 127.0.0.1/32 password\nhost all users_api all reject\n${readFileSync(rules, 'utf8')}`,
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

  const open = (environment: Record<string, string>, signToken?: SignToken): Db =>
    openDatabase(
      readSettings({
        DATABASE_URL: urlWith(server.url, { username: 'users_api', password: 'none' }),
        DATABASE_CA_FILE: join(folder, 'server.crt'),
        ...environment,
      }),
      signToken,
    );

  const ask = (db: Db) => authenticate(db, requestOf('', { authorization: `Token ${keys.ann}` }));

  const disconnect = () =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'users-api'`.execute(admin);

  test('each new connection gets in with a new token', async () => {
    let tokens = 0;
    const db = open({ DATABASE_IAM_AUTH: 'on' }, async () => {
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

  test.each([
    ['a token that is refused', async () => 'forged', '28P01'],
    ['no credentials to sign with', () => Promise.reject(new Error('no credentials')), undefined],
  ])('%s is a 503', async (_, signToken, code) => {
    const db = open({ DATABASE_IAM_AUTH: 'on' }, signToken);
    const error = await ask(db).catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 503, ...(code && { cause: { code } }) });
    await db.end();
  });

  test('a password goes over verified TLS as well', async () => {
    await accept('kept secret');
    const db = open({ DATABASE_URL: urlWith(server.url, { username: 'users_api', password: 'kept secret' }) });
    expect((await ask(db)).id).toBe(1);
    await db.end();
  });

  test.each([
    ['of an authority that nobody named', {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of another authority', { DATABASE_CA_FILE: 'other.crt' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', { DATABASE_CA_FILE: 'server.crt', DATABASE_URL: 'localhost' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('a certificate %s is refused before a token is sent', async (_, parts: Record<string, string>, code) => {
    const { DATABASE_CA_FILE: file, DATABASE_URL: host } = parts;
    const url = new URL(urlWith(server.url, { username: 'users_api' }));
    if (host) url.hostname = host;
    const signToken = vi.fn(async () => 'token');
    const db = open(
      { DATABASE_IAM_AUTH: 'on', DATABASE_URL: url.href, DATABASE_CA_FILE: file ? join(folder, file) : '' },
      signToken,
    );
    const error = await ask(db).catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 503, cause: { code } });
    expect(signToken).not.toHaveBeenCalled();
    await db.end();
  });
});
