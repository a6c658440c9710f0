import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import {
  type Adopted,
  adopt,
  mappings,
  openAdopted,
  openEndpoint,
  openPeopled,
  requireRightOrClosed,
  requireSame,
} from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

const statusOf = async ({ handler }: Adopted, key: string) => (await send(handler, { key })).status;
const queries = ['limit=1000', 'has_token=true'];

test('a token of authtoken ends after the lifetime that the mapping says', async () => {
  const peopled = await openPeopled('accounts', crowd(30));
  const tokens = [{ table: 'authtoken_token', lifetime_seconds: 86_400 }];
  await adopt(peopled, { ...mappings.accounts, tokens });
  const adopted = await openEndpoint(peopled);
  expect(await statusOf(adopted, 'key-1')).toBe(200);
  await adopted.django.run('Token.objects.filter(user=1).update(created=timezone.now() - timedelta(seconds=86_401))');
  expect(await statusOf(adopted, 'key-1')).toBe(401);
  await adopted.django.run('Token.objects.filter(user=1).update(created=timezone.now() - timedelta(seconds=86_300))');
  expect(await statusOf(adopted, 'key-1')).toBe(200);
});

test('a token of knox ends with its expiry, by whichever is earlier', async () => {
  const adopted = await openAdopted('members', crowd(60));
  await adopted.django.run(`
past, future = [timezone.now() + timedelta(seconds=seconds) for seconds in (-1, 60)]
admin = User.objects.get(pk=1)
AuthToken.issue(admin, "ended", past)
AuthToken.issue(admin, "lasts", future)
AuthToken.objects.filter(user_id__gt=9).update(expiry=past)`);
  expect(await statusOf(adopted, 'ended')).toBe(401);
  expect(await statusOf(adopted, 'lasts')).toBe(200);
  await requireSame(adopted, queries);
  await adopted.django.run(
    'AuthToken.objects.filter(digest=listing.layout.to_digest("lasts")).update(expiry=timezone.now())',
  );
  expect(await statusOf(adopted, 'lasts')).toBe(401);
});

test('a token of knox before 5.0 counts by the bytes that its digits are', async () => {
  const peopled = await openPeopled('members', crowd(30));
  const key = 'ab'.repeat(32);
  await peopled.django.run(
    `
import hashlib
digest = hashlib.sha512(bytes.fromhex(key)).hexdigest()
token = AuthToken.objects.create(digest=digest, token_key=key[:8], user_id=1)`,
    { key },
  );
  await adopt(peopled, { ...mappings.members, token_hash: 'sha512-hex' });
  const adopted = await openEndpoint(peopled, 'sha512-hex');
  expect(await statusOf(adopted, key)).toBe(200);
  for (const other of [key.toUpperCase(), `${key.slice(2)}ac`, 'zz', 'abc']) {
    expect([other, await statusOf(adopted, other)]).toEqual([other, other === key.toUpperCase() ? 200 : 401]);
  }
});

test('a function with another TOKEN_HASH is told so', async () => {
  const { django: _, ...peopled } = await openAdopted('members', crowd(30));
  const adopted = await openEndpoint({ ...peopled, django: await peopled.start() });
  expect(await requireRightOrClosed(adopted, queries)).toBe(true);
});

test('whoever is hidden counts as deleted, with tokens and invitations', async () => {
  const adopted = await openAdopted('members', crowd(60));
  await adopted.django.run('User.objects.filter(pk__in=[4, 7, 10, 16, 22, 30, 31]).update(deleted_at=timezone.now())');
  await requireSame(adopted, queries);
  await adopted.django.run('User.everybody.filter(pk__in=[4, 16]).update(deleted_at=None, given_name="Zoe")');
  await requireSame(adopted, queries);
  await adopted.operate('adopt', '--check');
  // The plain key of nobody, who is in the table all the same.
  const { rows } = await sql`select from users where deleted_at is not null`.execute(adopted.db);
  expect(rows.length).toBe(5);
});
