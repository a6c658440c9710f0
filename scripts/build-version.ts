import { spawnSync } from 'node:child_process';
import packageJson from '../package.json' with { type: 'json' };

/**
 * `1.0.0+41d69d83b30d` (SemVer, 10); `1.0.0+41d69d83b30d-dirty` where files differ from the commit. Where git knows none, as in an archive, the
 * commit is that of the environment's COMMIT; without either it is left out.
 */
export function readBuildVersion(folder: string, { COMMIT }: NodeJS.ProcessEnv): string {
  const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*']; // no tag: the version is package.json's
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0 && COMMIT && !/^[0-9a-f]{12,}$/.test(COMMIT)) {
    throw new Error('COMMIT must be the hash of a commit: 12 hexadecimal digits or more.');
  }
  const commit = status === 0 ? stdout.trim() : COMMIT?.slice(0, 12);
  return commit ? `${packageJson.version}+${commit}` : packageJson.version;
}
