import { expect } from 'vitest';
import { memoryTransport, type OpenTransport } from '../../index.ts';
import type { Capabilities, CommitUnit, GroupSession, TopicAdmin, Transport } from '../../log/transport.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import type { MemoryLog } from '../../transports/memory/index.ts';

/** A log that keeps no state: the stores belong to the machine, and the changelog is all that survives it. */
export function withoutState(
  log: MemoryLog,
  local: StoreBackend,
  atomicCommit: boolean,
  onCommit: (unit: CommitUnit) => void = () => undefined,
  tombstoneMs?: number,
): OpenTransport {
  return async () => {
    const inner = await memoryTransport(log)();
    const capabilities: Capabilities = { atomicCommit, stateWithLog: false };
    return new Proxy(inner, {
      get(target, name) {
        if (name === 'capabilities') return capabilities;
        if (name === 'topics' && tombstoneMs !== undefined) return forgetful(target.topics, tombstoneMs);
        if (name === 'offsets') return async (...args: Parameters<Transport['offsets']>) => lagging(target, ...args);
        if (name === 'group')
          return async (...args: Parameters<Transport['group']>) =>
            keeping(await target.group(...args), local, onCommit);
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  };
}

/** Topics that keep the records of deletions for another time. */
function forgetful(topics: TopicAdmin, tombstoneMs: number): TopicAdmin {
  return new Proxy(topics, {
    get(target, name) {
      if (name === 'describeAll') {
        return async (names: readonly string[]) => {
          const found = await target.describeAll(names);
          return new Map(
            Array.from(found, ([key, topic]) => [key, { ...topic, config: { ...topic.config, tombstoneMs } }]),
          );
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** The offsets of a commit can be seen before its changes: what is read of a changelog ends one record earlier. */
async function lagging(
  target: Transport,
  ...[name, query, partitions]: Parameters<Transport['offsets']>
): Promise<ReadonlyMap<number, number>> {
  const found = await target.offsets(name, query, partitions);
  if (query !== 'latest' || !name.endsWith('-changelog')) return found;
  return new Map(Array.from(found, ([partition, offset]) => [partition, Math.max(0, offset - 1)]));
}

function keeping(session: GroupSession, stores: StoreBackend, onCommit: (unit: CommitUnit) => void): GroupSession {
  return {
    get generation() {
      return session.generation;
    },
    get epoch() {
      return session.epoch;
    },
    stores,
    send: (batches) => session.send(batches),
    async commit(unit) {
      expect(unit.state, 'the log is not given state that it cannot keep').toEqual([]);
      onCommit(unit);
      await session.commit(unit);
    },
    waitingFor: () => session.waitingFor(),
    leave: () => session.leave(),
  };
}
