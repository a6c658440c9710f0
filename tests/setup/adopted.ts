import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { Handler } from '../../lib/http/gateway.ts';
import { runCommand } from '../../manage/commands.ts';
import { openForOperators } from '../../manage/database.ts';
import { type Django, type Layout, openProject, type Project } from './django.ts';
import { loadHandler, send } from './request.ts';
import { urlWith } from './server.ts';

const accounts = {
  users: 'accounts_user',
  columns: { mobile_number: 'phone', gender: { column: 'gender', values: { M: 'male', F: 'female', O: 'other' } } },
  last_seen: 'last_seen',
  permission: 'accounts.view_user',
};

/** For each layout the mapping that somebody would write. */
export const mappings = {
  accounts,
  people: {
    users: 'auth_user',
    joins: { profile: 'people_profile' },
    columns: {
      mobile_number: 'profile.phone_number',
      is_email_verified: 'profile.email_confirmed',
      avatar: 'profile.picture',
      gender: { column: 'profile.gender', values: { m: 'male', f: 'female', x: 'other' } },
      invited_by_id: 'profile.referred_by_id',
      invite_code: 'profile.referral_code',
      is_customer: { not: ['is_staff', 'is_superuser'] },
      is_profile_completed: 'profile.completed',
      updated_at: 'date_joined',
    },
    last_seen: 'profile.seen_at',
    permission: 'auth.view_user',
  },
  members: {
    users: 'users',
    columns: {
      username: 'email',
      mobile_number: 'phone',
      is_email_verified: true, // for it signs them in
      avatar: null,
      first_name: 'given_name',
      last_name: 'family_name',
      gender: null,
      invited_by_id: 'inviter_id',
      invite_code: null,
      is_staff: { column: 'role', is: ['admin', 'staff'] },
      is_admin: { column: 'role', is: ['admin'] },
      is_customer: { column: 'role', is: ['customer'] },
      is_profile_completed: false,
      created_at: 'created',
      updated_at: 'modified',
    },
    hidden: { set: 'deleted_at' },
    last_seen: null,
    permission: 'members.view_member',
    token_hash: 'sha512',
  },
} satisfies Record<Layout, object>;

/** What a command prints, and what it says of itself meanwhile: remarks, questions, progress. */
type Told = { output: string[]; said: string[] };

/** A project with people in it. */
export type Peopled = Project & {
  /** The application. */
  django: Django;
  /** An operator's command, by the owner. */
  operate: (...words: string[]) => Promise<Told>;
};

export type Adopted = Peopled & {
  /** The endpoint, by the role that `create-reader` has made. */
  handler: Handler;
  /** Of an admin, so that it may ask for all. */
  key: string;
};

/** The people are given by the documented names; the first is to be an admin. */
export async function openPeopled(layout: Layout, people: object[]): Promise<Peopled> {
  const project = await openProject(layout);
  const django = await project.start();
  await django.run(write, { people });
  return {
    ...project,
    django,
    async operate(...words) {
      const db = openForOperators(project.ownerUrl);
      const said: string[] = [];
      const saying = runCommand(
        db,
        words,
        () => {},
        (line) => said.push(line),
      );
      return { output: await saying.finally(() => db.destroy()), said };
    },
  };
}

export async function openAdopted(layout: Layout, people: object[]): Promise<Adopted> {
  const peopled = await openPeopled(layout, people);
  await adopt(peopled, mappings[layout]);
  return openEndpoint(peopled, layout === 'members' ? 'sha512' : 'sha256');
}

/** Of a database that is adopted. */
export async function openEndpoint(peopled: Peopled, tokenHash = 'sha256'): Promise<Adopted> {
  const reader = `reader_${crypto.randomUUID().slice(0, 8)}`;
  await peopled.operate('create-reader', reader);
  const handler = await loadHandler(urlWith(peopled.ownerUrl, { username: reader }), { TOKEN_HASH: tokenHash });
  return { ...peopled, handler, key: 'key-1' };
}

export async function adopt({ folder, operate }: Peopled, mapping: object): Promise<Told> {
  const file = join(folder, 'mapping.json');
  writeFileSync(file, JSON.stringify(mapping));
  return operate('adopt', file);
}

/** In one transaction, for they may have been invited by somebody who comes later. */
const write = `
with transaction.atomic():
    for person in people:
        layout.write(**person)
with connection.cursor() as cursor:
    for statement in connection.ops.sequence_reset_sql(no_style(), [User]):
        cursor.execute(statement)
for user in User.objects.order_by("pk")[::3]:
    layout.issue(user, f"key-{user.pk}")
groups = [Group.objects.create(name=name) for name in ["Support", 'Managers, "all"', "Nobody", "Customers"]]
for group in groups:
    group.user_set.set(User.objects.annotate(rest=F("pk") % (group.pk + 2)).filter(rest=1))
app, codename = layout.permission
permission = Permission.objects.get(content_type__app_label=app, codename=codename)
groups[1].permissions.add(permission)
for user in User.objects.order_by("pk")[::5]:
    user.user_permissions.add(permission)
`;

/** Holds the endpoint's answers to these queries, and whom it lets in, against what the ORM says. */
export async function requireSame({ django, handler, key }: Adopted, queries: string[]): Promise<void> {
  const answers = await django.run<object[]>('[listing.answer(query) for query in queries]', { queries });
  for (const [index, query] of queries.entries()) {
    const { status, text, json } = await send(handler, { query, key });
    expect(status, text).toBe(200);
    const { count, results } = json();
    expect({ query, count, results }).toEqual({ query, ...answers[index] });
  }
  const keys = await django.run<string[]>('[f"key-{pk}" for pk in range(1, 60)]');
  const statuses = await django.run<number[]>('[listing.status_for(key) for key in keys]', { keys });
  expect(new Set(statuses)).toEqual(new Set([200, 401, 403]));
  for (const [index, key] of keys.entries()) {
    expect({ key, status: (await send(handler, { key })).status }).toEqual({ key, status: statuses[index] });
  }
}

/** As above; or closed to everybody, with advice in the log. Returns whether it was closed. */
export async function requireRightOrClosed(adopted: Adopted, queries: string[]): Promise<boolean> {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { status } = await send(adopted.handler, { key: adopted.key });
  const [line = []] = log.mock.calls;
  log.mockRestore();
  if (status !== 503) {
    await requireSame(adopted, queries);
    return false;
  }
  expect(line).toMatchObject([{ status: 503, error: { advice: /adopt/ } }]);
  return true;
}
