import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTestDatabase } from './setup/database.ts';

const { db } = await openTestDatabase();

/** Each table as the catalogs have it: a line for each column, constraint and index, and for whatever else is not as usual. */
async function readTables(): Promise<Record<string, string[]>> {
  const { rows } = await sql<{ name: string; lines: string[] }>`
    with lines (relation, place, number, line) as (
      select attrelid, 1, attnum, concat_ws(' ', attname, format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
        case attidentity when 'd' then 'identity by default' when 'a' then 'identity always' end,
        case when attgenerated = 's' then 'stored' when attgenerated <> '' then 'virtual' when atthasdef then 'default' end,
        trim(regexp_replace(pg_get_expr(adbin, adrelid), '\\s+', ' ', 'g')), '-- ' || col_description(attrelid, attnum))
      from pg_attribute left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum) where attnum > 0
      union all
      select conrelid, 2, row_number() over (order by contype desc, conname), conname || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where contype <> 'n' -- of PostgreSQL 18, for each column that is not null
      union all
      select indrelid, 3, row_number() over (order by relname), relname || case when indisunique then ' unique' else '' end
        || regexp_replace(substring(pg_get_indexdef(oid) from ' USING .*'), '\\s+', ' ', 'g') || case when indisvalid then '' else ' invalid' end
      from pg_index join pg_class on oid = indexrelid where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
      union all
      select oid, 4, 0, 'with ' || array_to_string(reloptions, ', ') from pg_class
      union all
      select oid, 5, 0, format('persistence %s, row security %s, replica identity %s', relpersistence, relrowsecurity, relreplident)
      from pg_class where (relpersistence, relrowsecurity, relreplident) <> ('p', false, 'd')
      union all
      select tgrelid, 6, 0, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
      union all
      select oid, 7, 0, 'grants ' || relacl::text from pg_class
      union all
      select attrelid, 7, attnum, format('grants of %s %s', attname, attacl) from pg_attribute where attacl is not null
    )
    select relname as name, array_agg(line order by place, number) as lines from lines join pg_class on oid = relation
    where relnamespace = 'public'::regnamespace and relkind not in ('i', 'S') and relname not like 'kysely%' and line is not null
    group by 1`.execute(db);
  return Object.fromEntries(rows.map(({ name, lines }) => [name, lines]));
}

describe('the migrated schema', () => {
  const whenListed = (type: string, value: string) =>
    `${type} stored CASE WHEN (is_staff OR is_admin) THEN ${value} ELSE NULL::${type} END`;
  const whenFlag = (flag: number, value: number) => `WHEN ((list_flags & ${flag}) <> 0) THEN ${value}`;
  const genderRank = `( CASE ${whenFlag(2048, 0)} ${whenFlag(1024, 1)} ${whenFlag(4096, 2)} ELSE NULL::integer END)`;

  test('has exactly these tables, with these columns, constraints, indexes and settings', async () => {
    expect(await readTables()).toEqual({
      users: [
        'id bigint not null identity by default',
        'username text not null',
        'mobile_number text',
        'email text',
        'is_email_verified boolean not null default false',
        'avatar text -- storage path (avatars/2.png) or absolute URL',
        'first_name text',
        'last_name text',
        'gender text',
        'invited_by_id bigint',
        'invite_code text',
        'is_active boolean not null default true',
        'is_staff boolean not null default false',
        'is_admin boolean not null default false',
        'is_customer boolean not null default true',
        'is_profile_completed boolean not null default false',
        'last_login timestamp with time zone',
        'created_at timestamp with time zone not null default now()',
        'updated_at timestamp with time zone not null default now()',
        `list_flags ${whenListed(
          'integer',
          '(((((((((((is_active)::integer + ((is_staff)::integer * 2)) + ((is_admin)::integer * 4)) + ((is_customer)::integer * 8))' +
            ' + ((is_profile_completed)::integer * 16))' +
            " + (((COALESCE(email, ''::text) <> ''::text))::integer * 32))" +
            " + (((COALESCE(avatar, ''::text) <> ''::text))::integer * 64))" +
            " + (((COALESCE(mobile_number, ''::text) <> ''::text))::integer * 128))" +
            " + (((COALESCE(first_name, ''::text) <> ''::text))::integer * 256))" +
            " + (((COALESCE(last_name, ''::text) <> ''::text))::integer * 512))" +
            " + CASE gender WHEN 'male'::text THEN 1024 WHEN 'female'::text THEN 2048 WHEN 'other'::text THEN 4096 ELSE 0 END)",
        )}`,
        `list_created_at ${whenListed('timestamp with time zone', 'created_at')}`,
        `list_updated_at ${whenListed('timestamp with time zone', 'updated_at')}`,
        `list_last_login ${whenListed('timestamp with time zone', 'last_login')}`,
        `list_username ${whenListed('text', 'username')}`,
        `list_email ${whenListed('text', 'email')}`,
        `search_text ${whenListed(
          'text',
          "search_fold((((((((((((id)::text || chr(31)) || username) || chr(31)) || COALESCE(mobile_number, ''::text)) || chr(31))" +
            " || COALESCE(email, ''::text)) || chr(31)) || COALESCE(first_name, ''::text)) || chr(31)) || COALESCE(last_name, ''::text)))",
        )}`,
        'users_email_key UNIQUE (email)',
        'users_invite_code_key UNIQUE (invite_code)',
        'users_mobile_number_key UNIQUE (mobile_number)',
        'users_username_key UNIQUE (username)',
        'users_pkey PRIMARY KEY (id)',
        'users_invited_by_id_fkey FOREIGN KEY (invited_by_id) REFERENCES users(id) ON DELETE SET NULL',
        "users_gender_check CHECK ((gender = ANY (ARRAY['male'::text, 'female'::text, 'other'::text])))",
        'users_invited_by USING btree (invited_by_id) WHERE (invited_by_id IS NOT NULL)',
        'users_list USING btree (id) INCLUDE (list_flags, list_created_at, list_updated_at, list_last_login) WHERE (list_flags IS NOT NULL)',
        'users_list_created_at USING btree (list_created_at, id) INCLUDE (list_flags, list_updated_at, list_last_login) WHERE (list_flags IS NOT NULL)',
        'users_list_email USING btree (list_email, id) WHERE (list_flags IS NOT NULL)',
        'users_list_email_desc USING btree (list_email DESC NULLS LAST, id DESC) WHERE (list_flags IS NOT NULL)',
        `users_list_gender USING btree (${genderRank}, id) WHERE (list_flags IS NOT NULL)`,
        `users_list_gender_desc USING btree (${genderRank} DESC NULLS LAST, id DESC) WHERE (list_flags IS NOT NULL)`,
        'users_list_last_login USING btree (list_last_login, id) INCLUDE (list_flags, list_created_at, list_updated_at) WHERE (list_flags IS NOT NULL)',
        'users_list_last_login_desc USING btree (list_last_login DESC NULLS LAST, id DESC) INCLUDE (list_flags, list_created_at, list_updated_at) WHERE (list_flags IS NOT NULL)',
        'users_list_updated_at USING btree (list_updated_at, id) INCLUDE (list_flags, list_created_at, list_last_login) WHERE (list_flags IS NOT NULL)',
        'users_list_username USING btree (list_username) WHERE (list_flags IS NOT NULL)',
        'users_search_trgm USING gin (search_text gin_trgm_ops) WHERE (search_text IS NOT NULL)',
        'with fillfactor=90, autovacuum_vacuum_scale_factor=0.01',
      ],
      user_presence: [
        'user_id bigint not null',
        'last_seen_at timestamp with time zone not null',
        'user_presence_pkey PRIMARY KEY (user_id)',
        'user_presence_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
        'user_presence_seen USING btree (last_seen_at)',
        'with fillfactor=80',
      ],
      groups: [
        'id bigint not null identity by default',
        'name text not null',
        'groups_name_key UNIQUE (name)',
        'groups_pkey PRIMARY KEY (id)',
      ],
      user_groups: [
        'user_id bigint not null',
        'group_id bigint not null',
        'user_groups_pkey PRIMARY KEY (user_id, group_id)',
        'user_groups_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE',
        'user_groups_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
        'user_groups_group_user USING btree (group_id, user_id)',
      ],
      permissions: [
        'code integer not null',
        'name text not null',
        'permissions_name_key UNIQUE (name)',
        'permissions_pkey PRIMARY KEY (code)',
      ],
      group_permissions: [
        'group_id bigint not null',
        'permission_code integer not null',
        'group_permissions_pkey PRIMARY KEY (group_id, permission_code)',
        'group_permissions_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE',
        'group_permissions_permission_code_fkey FOREIGN KEY (permission_code) REFERENCES permissions(code) ON DELETE CASCADE',
      ],
      user_permissions: [
        'user_id bigint not null',
        'permission_code integer not null',
        'user_permissions_pkey PRIMARY KEY (user_id, permission_code)',
        'user_permissions_permission_code_fkey FOREIGN KEY (permission_code) REFERENCES permissions(code) ON DELETE CASCADE',
        'user_permissions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
      ],
      auth_tokens: [
        "token_hash bytea not null -- SHA-256 of the key's UTF-8 bytes",
        'user_id bigint not null',
        'created_at timestamp with time zone not null default now()',
        'expires_at timestamp with time zone -- null: never',
        'name text -- what it is for',
        'issuer text not null default CURRENT_USER -- who has issued it',
        'auth_tokens_pkey PRIMARY KEY (token_hash)',
        'auth_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
        'auth_tokens_user USING btree (user_id) INCLUDE (expires_at)',
      ],
    });
  });

  test('has exactly these functions, of which who is granted two runs them as their owner, and no types or sequences of its own', async () => {
    const { rows: functions } = await sql<{ head: string; grants: string | null; comment: string }>`
      select regexp_replace(pg_get_functiondef(oid), '\\s+(AS|RETURN) .*', '') as head, replace(proacl::text, current_user, 'owner') as grants, obj_description(oid) as comment
      from pg_proc where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e') -- of pg_trgm
      order by proname`.execute(db);
    const setOff = (...names: string[]) => names.map((name) => ` SET enable_${name} TO 'off'\n`).join('');
    const asOwner = (...off: string[]) =>
      `STABLE SECURITY DEFINER\n SET search_path TO 'pg_catalog', 'pg_temp'\n${setOff(...off).trimEnd()}`;
    expect(functions).toEqual([
      {
        head:
          'CREATE OR REPLACE FUNCTION public.find_caller(hash bytea)\n' +
          ' RETURNS TABLE(id bigint, is_active boolean, is_staff boolean, is_admin boolean, permissions integer[])\n' +
          ` LANGUAGE plpgsql\n ${asOwner('seqscan')}`,
        grants: '{owner=X/owner}',
        comment: 'who holds the token with this SHA-256, if it has not ended',
      },
      {
        head:
          'CREATE OR REPLACE FUNCTION public.list_details(ids bigint[], online_since timestamp with time zone)\n' +
          ' RETURNS TABLE(id bigint, username text, mobile_number text, email text, is_email_verified boolean, avatar text, first_name text,' +
          ' last_name text, gender text, invite_code text, is_active boolean, is_staff boolean, is_admin boolean, is_profile_completed boolean,' +
          ' last_login text, created_at text, updated_at text, is_online boolean, invitees_count bigint, inviter_id bigint,' +
          ' inviter_username text, inviter_first_name text, inviter_last_name text, group_ids bigint[], group_names json)\n' +
          ` LANGUAGE plpgsql\n ${asOwner('seqscan', 'hashjoin', 'mergejoin', 'material')}`,
        grants: '{owner=X/owner}',
        comment: 'what the list shows of these users, in their order; group_names, by id, in the first row',
      },
      {
        head: 'CREATE OR REPLACE FUNCTION public.search_fold(value text)\n RETURNS text\n LANGUAGE plpgsql\n IMMUTABLE PARALLEL SAFE STRICT',
        grants: null,
        comment: 'text as the search compares it: without letter case, accents and forms of letters',
      },
      {
        head: 'CREATE OR REPLACE FUNCTION public.search_pattern(term text)\n RETURNS text\n LANGUAGE sql\n IMMUTABLE PARALLEL SAFE STRICT',
        grants: null,
        comment: 'a LIKE pattern for texts of search_fold that contain the term',
      },
    ]);
    const { rows: others } = await sql<{ name: string }>`
      select typname as name from pg_type where typnamespace = 'public'::regnamespace and typtype not in ('b', 'c')
        and not exists (select from pg_depend where objid = pg_type.oid and deptype = 'e')
      union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'
      order by 1`.execute(db);
    expect(others.map(({ name }) => name)).toEqual(['groups_id_seq', 'users_id_seq']); // of the identities
  });
});

describe('who is deleted takes along', () => {
  /** Of each table what says to whom it belongs. */
  const belongings = {
    users: ['id', 'invited_by_id'],
    user_presence: ['user_id'],
    groups: ['id'],
    user_groups: ['user_id', 'group_id'],
    permissions: ['code'],
    group_permissions: ['group_id', 'permission_code'],
    user_permissions: ['user_id', 'permission_code'],
    auth_tokens: ['user_id'],
  };

  test.each<[what: string, statement: string, lost: string[]]>([
    [
      'an admin who has invited others: tokens and memberships, and not the invited',
      'delete from users where id = 1',
      [
        'users 1,',
        'users 2,1',
        'users 8,1',
        'user_groups 1,2',
        'auth_tokens 1',
        'auth_tokens 1',
        '+ users 2,',
        '+ users 8,',
      ],
    ],
    [
      'a user with everything: presence and permissions too',
      'delete from users where id = 3',
      [
        'users 3,8',
        'user_presence 3',
        'user_groups 3,1',
        'user_groups 3,2',
        'user_permissions 3,1222',
        'auth_tokens 3',
        'auth_tokens 3',
      ],
    ],
    [
      'a group: who is in it and what it may',
      'delete from groups where id = 2',
      ['groups 2', 'user_groups 1,2', 'user_groups 3,2', 'user_groups 4,2', 'group_permissions 2,1222'],
    ],
    [
      'a permission: who holds it',
      'delete from permissions',
      [
        'permissions 1222',
        'group_permissions 2,1222',
        'user_permissions 2,1222',
        'user_permissions 3,1222',
        'user_permissions 8,1222',
      ],
    ],
  ])('%s', async (_, statement, lost) => {
    const trx = await db.startTransaction().execute();
    onTestFinished(async () => void (await trx.rollback().execute()));
    const readAll = async () => {
      const rows: string[] = [];
      for (const [table, columns] of Object.entries(belongings)) {
        const values = sql`concat_ws(',', ${sql.join(columns.map((column) => sql`coalesce(${sql.ref(column)}::text, '')`))})`;
        const found = await sql<{ row: string }>`
          select ${sql.lit(`${table} `)} || ${values} as row from ${sql.table(table)} order by ${sql.join(columns.map((column) => sql.ref(column)))}`.execute(
          trx,
        );
        rows.push(...found.rows.map(({ row }) => row));
      }
      return rows;
    };
    const before = await readAll();
    await sql.raw(statement).execute(trx);
    const after = await readAll();
    const gone = [...before];
    const come = after.filter((row) => {
      const index = gone.indexOf(row);
      if (index >= 0) gone.splice(index, 1);
      return index < 0;
    });
    expect([...gone, ...come.map((row) => `+ ${row}`)]).toEqual(lost);
  });
});
