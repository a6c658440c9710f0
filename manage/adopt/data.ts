import { type Kysely, sql } from 'kysely';
import type { Database } from '../../lib/database/tables.ts';
import { OperatorError } from '../operator-error.ts';
import type { Plan } from './mirror.ts';
import { toRows } from './mirror-sql.ts';

type Facts = { username: number; created_at: number; updated_at: number; genders: string[] | null };

/** That the rows which are there can be ours. Throws an OperatorError with what cannot. */
export async function requireData(db: Kysely<Database>, { mirrors }: Plan): Promise<void> {
  const users = mirrors.find(({ table }) => table === 'users');
  if (!users) return;
  const { rows } = await sql<Facts>`
    select count(*) filter (where username is null)::int as username, count(*) filter (where created_at is null)::int as created_at,
      count(*) filter (where updated_at is null)::int as updated_at,
      json_agg(distinct gender) filter (where gender not in ('male', 'female', 'other')) as genders
    from (${sql.raw(toRows(users))}) as source`.execute(db);
  const { genders, ...empty } = rows[0] as Facts;
  const faults = Object.entries(empty)
    .filter(([, count]) => count > 0)
    .map(
      ([name, count]) =>
        `  columns.${name}: null for ${count} users, and the API shows it of everybody. Map another column.`,
    );
  if (genders)
    faults.push(
      `  columns.gender: say what these values mean, as male, female or other: ${genders
        .slice(0, 10)
        .map((value) => JSON.stringify(value))
        .join(', ')}.`,
    );
  if (faults.length > 0) throw new OperatorError(['The mapping does not fit the data:', ...faults].join('\n'));
}
