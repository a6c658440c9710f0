import { expect, test } from 'vitest';
import { selectUsers } from '../lib/users/statement.ts';
import { queryOf } from './setup/request.ts';

/** A line for each clause, the values last. Plans hang on this text: an index on its predicate's spelling, a prepared statement on literal limits. */
function sqlOf(rawQuery: string): string {
  const { sql, parameters } = selectUsers(queryOf(rawQuery));
  const clauses = sql
    .replace(/ (from|(?:left|inner) join|where|and|order by|limit) /g, '\n$1 ')
    .replace(/"(\w\w+)"/g, '$1');
  return `${clauses}\n${JSON.stringify(parameters)}`;
}

test('the page of a request without parameters is one statement without values', () => {
  expect(sqlOf('')).toMatchInlineSnapshot(`
    "select *
    from (select (select count(*) as count
    from users
    where users.list_flags is not null) as count) as counted
    left join list_details(array(select id
    from (select users.id
    from users
    where users.list_flags is not null
    order by users.id desc
    limit 10 offset 0) as page)::bigint[], now() - make_interval(secs => 300::double precision)) with ordinality on true
    order by ordinality
    []"
  `);
});

test.each([
  [
    'once, for few are expected',
    true,
    ['search=ann', 'search=a,ann', 'group_id=1', 'groups_in=1,2', 'group_id=1&is_active=1'],
  ],
  [
    'once, as they are many conditions',
    true,
    [
      'is_active=1&is_staff=1&is_admin=0&gender=male',
      'id_min=1&id_max=9&is_staff=1&has_email=1&gender=male',
      'search=b&is_active=1&is_staff=1&is_admin=0',
    ],
  ],
  [
    'twice, for most may match',
    false,
    [
      '',
      'search=an',
      'is_active=1',
      'id_min=1',
      'id_in=1,2',
      'is_active=1&is_staff=1&gender=male',
      'search=b&is_active=1&is_staff=1',
    ],
  ],
])('conditions stand in it %s', (_, isOnce, queries) => {
  for (const query of queries) {
    for (const place of ['', 'offset=10', 'ordering=email']) {
      const whole = [query, place].filter((part) => part !== '').join('&');
      expect(sqlOf(whole).startsWith('with matching as materialized'), whole).toBe(isOnce);
    }
  }
});

test('the widest query is one statement that binds every value', () => {
  const widest = [
    'limit=100&offset=200&search=%D8%B9%D9%84%DB%8C,50%25,%22van+dyk%22&ordering=gender,-last_login,email,created_at,-updated_at',
    'id_min=1&id_max=9',
    ...['created', 'updated', 'last_login'].map(
      (field) => `${field}_date=2026-02-21&${field}_from=2026-01-01&${field}_to=2026-12-31`,
    ),
    ...['email', 'avatar', 'phone', 'first_name', 'last_name'].map((field) => `has_${field}=true`),
    'has_token=false&is_active=1&is_staff=1&is_admin=0&is_customer=0&is_profile_completed=True&is_online=false',
    'gender=Other&groups_in=1,2&group_id=3',
  ].join('&');
  expect(sqlOf(widest)).toMatchInlineSnapshot(`
    "with matching as materialized (select users.id, users.list_flags, users.list_last_login, users.list_email, users.list_created_at, users.list_updated_at
    from users
    where (users.search_text like search_pattern($1::text)
    and strpos(coalesce(users.search_text, ''), search_fold($2::text)) > 0
    and users.search_text like search_pattern($3::text))
    and users.id >= $4
    and users.id <= $5
    and (users.list_created_at >= $6::timestamptz
    and users.list_created_at < $7::timestamptz + interval '24 hours')
    and users.list_created_at >= $8::timestamptz
    and users.list_created_at < $9::timestamptz + interval '24 hours'
    and (users.list_updated_at >= $10::timestamptz
    and users.list_updated_at < $11::timestamptz + interval '24 hours')
    and users.list_updated_at >= $12::timestamptz
    and users.list_updated_at < $13::timestamptz + interval '24 hours'
    and (users.list_last_login >= $14::timestamptz
    and users.list_last_login < $15::timestamptz + interval '24 hours')
    and users.list_last_login >= $16::timestamptz
    and users.list_last_login < $17::timestamptz + interval '24 hours'
    and (users.list_flags & 32) <> 0
    and (users.list_flags & 64) <> 0
    and (users.list_flags & 128) <> 0
    and (users.list_flags & 256) <> 0
    and (users.list_flags & 512) <> 0
    and not exists (select
    from auth_tokens
    where user_id = users.id
    and (expires_at is null or expires_at > now()))
    and (users.list_flags & 1) <> 0
    and (users.list_flags & 2) <> 0
    and not (users.list_flags & 4) <> 0
    and not (users.list_flags & 8) <> 0
    and (users.list_flags & 16) <> 0
    and not exists (select
    from user_presence
    where user_id = users.id
    and last_seen_at > now() - make_interval(secs => 300::double precision))
    and (users.list_flags & 4096) <> 0
    and exists (select
    from user_groups
    where user_id = users.id
    and group_id = any($18::bigint[]))
    and exists (select
    from user_groups
    where user_id = users.id
    and group_id = any($19::bigint[]))) select *
    from (select (select count(*)
    from matching) as count) as counted
    left join list_details(array(select id
    from (select *
    from matching as users
    order by case when (users.list_flags & 2048) <> 0 then 0 when (users.list_flags & 1024) <> 0 then 1 when (users.list_flags & 4096) <> 0 then 2 end, users.list_last_login desc nulls last, users.list_email, users.list_created_at, users.list_updated_at desc, users.id
    limit 100 offset 200) as page)::bigint[], now() - make_interval(secs => 300::double precision)) with ordinality on true
    order by ordinality
    ["علی","50%","van dyk",1,9,"2026-02-21T00:00:00Z","2026-02-21T00:00:00Z","2026-01-01T00:00:00Z","2026-12-31T00:00:00Z","2026-02-21T00:00:00Z","2026-02-21T00:00:00Z","2026-01-01T00:00:00Z","2026-12-31T00:00:00Z","2026-02-21T00:00:00Z","2026-02-21T00:00:00Z","2026-01-01T00:00:00Z","2026-12-31T00:00:00Z",[1,2],[3]]"
  `);
});

test('the page after a cursor is one stretch of the index, read from there', () => {
  expect(sqlOf('after=d2yxs1siLWlkIiwxLDJd&offset=1&limit=2')).toMatchInlineSnapshot(`
    "select *
    from (select (select count(*) as count
    from users
    where users.list_flags is not null) as count) as counted
    left join list_details(array(select id
    from (select users.id
    from users
    where users.list_flags is not null
    and users.id < $1
    order by users.id desc
    limit 3) as page)::bigint[], now() - make_interval(secs => 300::double precision)) with ordinality on true
    order by ordinality
    [2]"
  `);
});

test('the page before a cursor is read backwards, and turned', () => {
  expect(sqlOf('before=d2yxs1siLWlkIiwxLDJd&offset=1&limit=2')).toMatchInlineSnapshot(`
    "select *
    from (select (select count(*) as count
    from users
    where users.list_flags is not null) as count) as counted
    left join list_details(array(select id
    from (select users.id
    from users
    where users.list_flags is not null
    and users.id > $1
    order by users.id
    limit 3) as page)::bigint[], now() - make_interval(secs => 300::double precision)) with ordinality on true
    order by ordinality desc
    [2]"
  `);
});

test('the page after a cursor among ties and nulls is several stretches, each of which ends early', () => {
  const cursor = 'vSWZ51siLWxhc3RfbG9naW4sLWlkIiwzLCIyMDI2LTAyLTIxVDA3OjIwOjI1LjMzODYyN1oiLDFd';
  expect(sqlOf(`after=${cursor}&limit=3&offset=3&ordering=-last_login`)).toMatchInlineSnapshot(`
    "select *
    from (select (select count(*) as count
    from users
    where users.list_flags is not null) as count) as counted
    left join list_details(array(select id
    from (select *
    from ((select users.id, users.list_last_login
    from users
    where users.list_flags is not null
    and (users.list_last_login = $1
    and ((users.id < $2)))
    order by users.list_last_login desc nulls last, users.id desc
    limit 4) union all (select users.id, users.list_last_login
    from users
    where users.list_flags is not null
    and users.list_last_login < $3
    order by users.list_last_login desc nulls last, users.id desc
    limit 4) union all (select users.id, users.list_last_login
    from users
    where users.list_flags is not null
    and users.list_last_login is null
    order by users.list_last_login desc nulls last, users.id desc
    limit 4)) as users
    order by users.list_last_login desc nulls last, users.id desc
    limit 4) as page)::bigint[], now() - make_interval(secs => 300::double precision)) with ordinality on true
    order by ordinality
    ["2026-02-21T07:20:25.338627Z",1,"2026-02-21T07:20:25.338627Z"]"
  `);
});

test.each<[ordering: string, orderBy: string]>([
  ['id', 'users.id'],
  ['-id', 'users.id desc'],
  ['username', 'users.list_username'],
  ['-username', 'users.list_username desc'],
  ['email', 'users.list_email, users.id'],
  ['-email', 'users.list_email desc nulls last, users.id desc'],
  ['last_login', 'users.list_last_login, users.id'],
  ['-last_login', 'users.list_last_login desc nulls last, users.id desc'],
  ['created_at', 'users.list_created_at, users.id'],
  ['-created_at', 'users.list_created_at desc, users.id desc'],
  ['updated_at,-email', 'users.list_updated_at, users.list_email desc nulls last, users.id'],
  ['-updated_at,email', 'users.list_updated_at desc, users.list_email, users.id desc'],
  // Nothing is left to order after a unique key.
  ['id,-email', 'users.id'],
  ['-username,email,id', 'users.list_username desc'],
  ['email,-username,-id', 'users.list_email, users.list_username desc'],
])('?ordering=%s is order by %s', (ordering, orderBy) => {
  expect(/^order by (.*)\nlimit/m.exec(sqlOf(`ordering=${ordering}`))?.[1]).toBe(orderBy);
});
