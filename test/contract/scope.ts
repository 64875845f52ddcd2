import { afterEach, beforeEach } from 'vitest';
import type { Transport } from '../../src/log/transport.ts';
import type { TestLog } from './support.ts';

/** The log and the transports of one test. */
export interface Scope {
  /** The transport of the test. */
  readonly transport: Transport;
  /** Another one on the same log. */
  another(): Promise<Transport>;
}

/** Opens a log before each test of the current `describe`, and closes everything after it. */
export function useLog(openLog: () => Promise<TestLog>): Scope {
  let log: TestLog | undefined;
  let opened: Transport[] = [];
  const another = async (): Promise<Transport> => {
    const transport = await log!.open();
    opened.push(transport);
    return transport;
  };
  beforeEach(async () => {
    log = await openLog();
    opened = [];
    await another();
  });
  afterEach(async () => {
    await Promise.all(opened.map((transport) => transport.close()));
    await log?.cleanup();
  });
  return {
    get transport() {
      return opened[0]!;
    },
    another,
  };
}
