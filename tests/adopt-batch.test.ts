import type { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import type { Database } from '../lib/database/tables.ts';
import { shareOut } from '../manage/adopt/batch.ts';

const connections = ['first', 'second'] as unknown as Kysely<Database>[];

test('items are shared out among connections, each item once, and the next to whoever is free', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const taken: [unknown, number][] = [];
  await shareOut(connections, [1, 2, 3, 4], async (connection, item) => {
    taken.push([connection, item]);
    if (item === 1) await held;
    if (item === 4) release();
  });
  expect(taken).toEqual([
    ['first', 1],
    ['second', 2],
    ['second', 3],
    ['second', 4],
  ]);
});

test('where one fails the other ends its item, takes no other, and the error is told then', async () => {
  const events: string[] = [];
  const work = shareOut(connections, [1, 2, 3], async (_connection, item) => {
    if (item === 1) throw new Error('no space left');
    await new Promise((resolve) => setTimeout(resolve, 20));
    events.push(`${item} ended`);
  });
  await expect(work).rejects.toThrow('no space left');
  expect(events).toEqual(['2 ended']);
});
