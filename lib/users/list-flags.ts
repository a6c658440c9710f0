import { type Expression, type SqlBool, sql } from 'kysely';

/** The bits of `users.list_flags`, as the migration that made the column sets them. */
const listFlags = {
  active: 1,
  staff: 2,
  admin: 4,
  customer: 8,
  profileCompleted: 16,
  hasEmail: 32,
  hasAvatar: 64,
  hasPhone: 128,
  hasFirstName: 256,
  hasLastName: 512,
  male: 1024,
  female: 2048,
  other: 4096,
} as const;

export type ListFlag = keyof typeof listFlags;

/** Whether a listed user has the flag; never null, and answered by the listing index alone. */
export const hasListFlag = (flag: ListFlag): Expression<SqlBool> =>
  sql`(${sql.ref('users.list_flags')} & ${sql.lit(listFlags[flag])}) <> 0`;
