import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedTransport } from 'millrace/embedded';
import type { TestDriverOptions } from 'millrace/testing';

/** The stores of an embedded log in a folder of its own, which disposing removes. */
export interface DiskStores extends AsyncDisposable {
  readonly stores: NonNullable<TestDriverOptions['stores']>;
}

export async function openDiskStores(): Promise<DiskStores> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-conformance-'));
  // Nothing here has to survive the machine, so nothing waits for the disk.
  const transport = await embeddedTransport({ path, durability: 'memory' })();
  const session = await transport.group({
    groupId: 'conformance',
    tasks: [],
    onAssigned: async () => {},
    onRevoked: async () => {},
    onError: (error) => {
      throw error;
    },
  });
  return {
    stores: session.stores,
    async [Symbol.asyncDispose]() {
      await session.leave();
      await transport.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}
