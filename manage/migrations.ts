import type { Migration } from 'kysely/migration';
import * as tables from '../migrations/0001-tables.ts';
import * as search from '../migrations/0002-search.ts';
import * as listing from '../migrations/0003-listing.ts';
import * as functions from '../migrations/0004-functions.ts';
import * as indexes from '../migrations/0005-indexes.ts';

/**
 * `rewrites`: PostgreSQL writes this table anew, and nobody reads or writes it meanwhile. `outsideTransaction`: may break off halfway, and goes
 * on from there when it is run again. `isOutdated`: has to be run again, for what it has made does no longer fit. All others hold no table for longer than a moment, however large it is.
 */
type Step = Migration & {
  rewrites?: string;
  outsideTransaction?: true;
  isOutdated?: (...args: Parameters<Migration['up']>) => Promise<boolean>;
};

export const migrations: Record<string, Step> = {
  '0001-tables': tables,
  '0002-search': search,
  '0003-listing': listing,
  '0004-functions': functions,
  '0005-indexes': indexes,
};
