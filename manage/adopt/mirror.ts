import type { Database } from '../../lib/database/tables.ts';
import type { Settings } from '../../lib/settings.ts';
import type { Table } from './catalog.ts';

/** A table of ours, and how its rows are made of theirs. */
export type Mirror = {
  table: keyof Database;
  /** Our column by which rows are brought up to date: a user's id, or a group's. */
  key: string;
  /** The primary key. */
  identity: string[];
  /** Each of our columns that is written, as SQL of their rows. */
  values: Record<string, string>;
  from: string;
  /** Which of their rows count. */
  where: string[];
  /** Which of our rows are made of these. */
  scope?: string;
  /** Whether their table may say twice what is one row of ours. */
  mayRepeat?: boolean;
  /** Their tables, the first the one whose rows are ours: each with the column that holds the key, and others that are read. */
  sources: { table: Table; key: string; columns: string[] }[];
};

export type TokenHash = Settings['tokenHash'];

/** `permission`: SQL of whether it is still the one that the mapping names. */
export type Plan = { mirrors: Mirror[]; tokenHash: TokenHash; permission?: string };
