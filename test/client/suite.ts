import { describe } from 'vitest';
import type { TestLog } from '../contract/support.ts';
import { groupSuite } from './groups.ts';
import { patternSuite } from './patterns.ts';
import { publishingSuite } from './publishing.ts';
import { readingSuite } from './reading.ts';

/** What the client must do, whatever the log. */
export function clientSuite(name: string, openLog: () => Promise<TestLog>): void {
  describe(`client on ${name}`, () => {
    publishingSuite(openLog);
    readingSuite(openLog);
    groupSuite(openLog);
    patternSuite(openLog);
  });
}
