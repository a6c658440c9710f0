import { execFileSync } from 'node:child_process';

/** Runs the same build before packaging and before the local emulation, so that both run the same bundle. */
export default class Build {
  constructor() {
    const build = () => execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
    this.hooks = {
      'before:package:initialize': build,
      'before:offline:start': build, // serverless offline
      'before:offline:start:init': build, // serverless offline start
    };
  }
}
