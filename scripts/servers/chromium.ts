import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's; the package `chromium` installs it. */
const executablePath = '/usr/bin/chromium';

export const hasChromium = existsSync(executablePath);

/** Without a sandbox, because it runs as root in containers, and without what it would ask of the network by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
