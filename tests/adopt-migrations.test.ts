import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type Adopted, adopt, mappings, openAdopted, requireRightOrClosed, requireSame } from './setup/adopted.ts';
import { crowd } from './setup/crowd.ts';
import { type Layout, lacking } from './setup/django.ts';
import { send } from './setup/request.ts';

beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

type Edit = [file: string, from: string | RegExp, to: string];

/**
 * What a developer does: edits the files and lets Django write a migration, once or several times, before they are run. `answers` to Django's
 * questions.
 */
type Change = {
  layout?: Layout;
  edits: Edit[][];
  /** Of a migration by hand, in place of Django's. */
  operations?: string;
  answers?: string;
  /** Edits when the migration has run: by the settings that name the user model anew, Django could not read the migrations before. */
  later?: Edit[];
  /** What the mapping has to be from then on. Without it, the old one holds. */
  mapping?: object;
};

const models = 'accounts/models.py';
const documented = 'accounts/documented.py';
const isVerified = '    is_email_verified = models.BooleanField(default=False)\n';
const isCustomer = '    is_customer = models.BooleanField(default=True)\n';
const accounts = (changes: object, columns: object = {}) => ({
  ...mappings.accounts,
  ...changes,
  columns: { ...mappings.accounts.columns, ...columns },
});

const changes: Record<string, Change> = {
  'adds a field': {
    edits: [[[models, /$/, '    nickname = models.CharField(max_length=20, default="nobody")\n']]],
  },
  'adds a field and writes all users': {
    edits: [[[models, /$/, '    nickname = models.CharField(max_length=20, default="nobody")\n']]],
    operations: `
        migrations.AddField("user", "nickname", models.CharField(max_length=20, default="nobody")),
        migrations.RunPython(lambda apps, _: apps.get_model("accounts", "User").objects.update(last_name="Zoe")),
`,
  },
  'makes a field of the mapping longer': { edits: [[[models, 'max_length=20', 'max_length=40']]] },
  'makes a field of the mapping a text': { edits: [[[models, 'CharField(max_length=20,', 'TextField(']]] },
  'makes a field of the mapping a number': {
    edits: [
      [
        [models, 'CharField(max_length=20,', 'BigIntegerField('],
        [documented, 'F("phone")', 'Cast("phone", TextField())'],
        [documented, 'import F', 'import F, TextField\nfrom django.db.models.functions import Cast'],
      ],
    ],
  },
  'makes the key a bigint': { edits: [[['settings.py', 'db.models.AutoField', 'db.models.BigAutoField']]] },
  'makes a time a date': {
    edits: [
      [
        [models, 'last_seen = models.DateTimeField', 'last_seen = models.DateField'],
        [documented, 'F("last_seen")', 'Cast(nothing, DateTimeField())'],
        [documented, 'import F', 'import DateTimeField, F\nfrom django.db.models.functions import Cast'],
        [documented, 'import choice', 'import choice, nothing'],
      ],
    ],
    mapping: accounts({ last_seen: null }),
  },
  'renames a field of the mapping': {
    edits: [
      [
        [models, 'phone =', 'mobile ='],
        [documented, 'F("phone")', 'F("mobile")'],
      ],
    ],
    answers: 'y\n',
    mapping: accounts({}, { mobile_number: 'mobile' }),
  },
  'removes a field of the mapping': {
    edits: [
      [
        [models, /.*invite_code = .*\n/, ''],
        [documented, 'F("invite_code")', 'nothing'],
        [documented, 'import choice', 'import choice, nothing'],
      ],
    ],
    mapping: accounts({}, { invite_code: null }),
  },
  'removes a field of the mapping and adds it again, empty': {
    edits: [[[models, isVerified, '']], [[models, /$/, isVerified]]],
  },
  'removes a field of the mapping and adds another of that name': {
    edits: [
      [[models, isCustomer, '']],
      [
        [models, /$/, '    is_customer = models.CharField(max_length=3, default="no")\n'],
        [documented, 'F("is_customer")', 'whether(Q(is_customer="yes"))'],
        [documented, 'import choice', 'import choice, whether'],
        [documented, 'import F', 'import F, Q'],
      ],
    ],
    mapping: accounts({}, { is_customer: { column: 'is_customer', is: ['yes'] } }),
  },
  "renames the users' table": {
    edits: [[[models, /$/, '\n    class Meta(AbstractUser.Meta):\n        db_table = "staff"\n']]],
    mapping: accounts({ users: 'staff' }),
  },
  'renames the model of the users, and the columns that refer to them': {
    edits: [[]],
    operations: 'migrations.RenameModel("User", "Account")',
    later: [
      [models, 'class User', 'class Account'],
      ['settings.py', 'accounts.User', 'accounts.Account'],
      [documented, 'import User', 'import Account as User'],
      ['accounts/admin.py', 'import User\n', 'import Account as User\n'],
    ],
    mapping: accounts({ users: 'accounts_account' }),
  },
  'renames the model of the profile': {
    layout: 'people',
    edits: [
      [
        ['people/models.py', 'class Profile', 'class Details'],
        ['people/documented.py', /Profile\b/g, 'Details'],
        ['people/admin.py', /Profile/g, 'Details'],
      ],
    ],
    answers: 'y\n',
    mapping: { ...mappings.people, joins: { profile: 'people_details' } },
  },
};

const queries = [
  'limit=1000',
  'has_phone=true',
  'is_customer=true',
  'is_online=true',
  'search=user-1',
  'ordering=gender',
];

async function change(
  { folder, manage }: Adopted,
  layout: Layout,
  { edits, answers, operations, later = [] }: Change,
): Promise<void> {
  for (const each of edits) {
    applyEdits(folder, each);
    if (operations) writeFileSync(join(folder, layout, 'migrations/0002_by_hand.py'), byHand(operations));
    else expect(await manage(`makemigrations ${layout}`, answers)).toContain('Migrations for');
  }
  await manage('migrate');
  applyEdits(folder, later);
}

function applyEdits(folder: string, edits: Edit[]): void {
  for (const [file, from, to] of edits) {
    const path = join(folder, file);
    const before = readFileSync(path, 'utf8');
    const after = before.replace(from, to);
    expect(after, `${file} does not hold ${from}`).not.toBe(before);
    writeFileSync(path, after);
  }
}

const byHand = (operations: string) => `
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [${operations}]
`;

/** Whatever has become of the model: what has stayed of it is written. */
const writes = `
User.objects.exclude(pk=1).update(last_name=f"{timezone.now()}")
User.objects.create(username=f"{timezone.now()}", is_staff=True)
User.objects.order_by("-pk")[1].delete()
layout.issue(User.objects.order_by("-pk")[0], f"{timezone.now()}")
Group.objects.first().user_set.add(*User.objects.all())
`;

test.each(Object.entries(changes))('a migration that %s', async (_, { layout = 'accounts', ...each }) => {
  const before = await openAdopted(layout, crowd(30));
  await before.django.kill();
  await change(before, layout, each);
  const after = { ...before, django: await before.start() };
  await requireRightOrClosed(after, queries);
  await after.django.run(writes);
  await requireRightOrClosed(after, queries);
  await adopt(after, each.mapping ?? mappings[layout]);
  await requireSame(after, queries);
  await after.django.run(writes);
  await requireSame(after, queries);
});

test('`flush` leaves nobody', async () => {
  const adopted = await openAdopted('accounts', crowd(30));
  await adopted.manage('flush --noinput');
  expect((await send(adopted.handler, { key: adopted.key })).status).toBe(401);
  await adopted.django.run(`
with connection.cursor() as cursor:
    cursor.execute("select setval('accounts_user_id_seq', 1)")
admin = User.objects.create_superuser("zoe")
layout.issue(admin, "key-of-zoe")`);
  const { status, json } = await send(adopted.handler, { key: 'key-of-zoe' });
  expect({ status, count: json().count }).toEqual({ status: 200, count: 1 });
});

test('migrations that are undone close it', async () => {
  const adopted = await openAdopted('accounts', crowd(30));
  await adopted.django.kill();
  await adopted.manage('migrate authtoken zero');
  expect((await send(adopted.handler, { key: adopted.key })).status).toBe(503);
  await adopted.manage('migrate accounts zero');
  expect((await send(adopted.handler, { key: adopted.key })).status).toBe(503);
});
