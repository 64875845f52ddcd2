import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a browser is; `undefined` where there is none, which is a failure where everything has to run. */
export function chromiumPath(): string | undefined {
  const found = [process.env['CHROMIUM'], ...PLACES].find((path) => path !== undefined && existsSync(path));
  if (found === undefined && process.env['CI'] !== undefined) {
    throw new Error('there is no chromium: apt-get install chromium, or name one in CHROMIUM');
  }
  return found;
}

export function launch(executablePath: string): Promise<Browser> {
  // Of pages of our own only; a container that runs as root has no sandbox.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
