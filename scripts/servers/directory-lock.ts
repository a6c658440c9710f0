import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Until this process ends: an object that nobody holds is collected, and its lock with it. */
const held: DatabaseSync[] = [];

/**
 * Takes a folder for this process alone; false where another has it. It is the lock that SQLite takes on its file, because Node.js has none
 * of its own: the kernel lets go of it however the process ends, and no number of a process can be mistaken for another's.
 */
export function takeDirectory(directory: string): boolean {
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('begin exclusive');
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) return false;
    throw error;
  }
  held.push(database);
  return true;
}

/** SQLITE_BUSY */
const busy = 5;
