import { expect } from 'vitest';
import type { User } from '../../lib/users/user.ts';
import { runCommand } from '../../manage/commands.ts';
import { openTestDatabase } from './database.ts';
import { loadHandler, send } from './request.ts';

/** A database of the test file's own, the operators' commands on it, and the endpoint, which shows what they have written. */
export async function openOperated() {
  const database = await openTestDatabase();
  const handler = await loadHandler(database.url);
  return {
    database,
    handler,
    manage: (...args: string[]): Promise<string[]> => runCommand(database.db, args),
    statusOf: async (key: string): Promise<number> => (await send(handler, { key })).status,
    /** What the endpoint shows of a user of that id; undefined where it lists none. */
    async shownOf(id: number): Promise<User | undefined> {
      const { status, json } = await send(handler, { query: `id_in=${id}` });
      expect(status).toBe(200);
      return json().results[0];
    },
  };
}
