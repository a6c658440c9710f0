import { execFileSync } from 'node:child_process';
export default class BuildPlugin {
  constructor() {
    const build = () => execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' });
    this.hooks = {
      'before:package:initialize': build,
      'before:offline:start': build,
      'before:offline:start:init': build,
    };
  }
}
