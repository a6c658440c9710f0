import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** `127.0.0.1` and the like, of each port on which a process or one of its descendants listens; from /proc, so on Linux alone. */
export function listListening(pid: number): string[] {
  const sockets = new Set(treeOf(pid).flatMap(listSockets));
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = '']) => state === listen && sockets.has(inode))
      .map(([, address = '']) => readAddress(address)),
  );
}

/** TCP_LISTEN of the kernel */
const listen = '0A';

function treeOf(pid: number): number[] {
  const children = unlessEnded(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()) ?? '';
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => treeOf(Number(child))))];
}

/** The inodes of a process's sockets. */
function listSockets(pid: number): string[] {
  const descriptors = unlessEnded(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return descriptors.flatMap((fd) => {
    const target = unlessEnded(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '';
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
}

/** A process may end, and close what it has open, while it is looked at. */
function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** `0100007F:1F90` → `127.0.0.1`, as a little-endian machine writes it; of IPv6 the digits. */
function readAddress(text: string): string {
  const [digits = ''] = text.split(':');
  return digits.length > 8 ? digits : [...Buffer.from(digits, 'hex')].reverse().join('.');
}
