import { BrokerModel, clusterOf } from './broker-model.fixtures.ts';
import type { Cluster } from './cluster.ts';
import type { GroupMember } from './group-member.ts';
import type { KafkaSettings } from './options.ts';
import type { Api } from './wire/api.ts';
import type { ProduceRequest } from './wire/produce.ts';

const settings: Partial<KafkaSettings> = {
  requestTimeoutMs: 1000,
  deliveryTimeoutMs: 1000,
  transactionTimeoutMs: 1000,
  rebalanceTimeoutMs: 1000,
  instanceId: null,
};

type Request = [
  node: number,
  lane: string,
  api: Api<unknown, unknown>,
  query: unknown,
  timeoutMs?: number,
  admitted?: () => boolean,
];

/**
 * A cluster whose one broker takes everything that is written.
 *
 * @param answer - Answers all other requests, or throws as a connection that is cut does.
 */
export function fakeCluster(answer: (name: string, query: never) => unknown): Cluster {
  const broker = new BrokerModel([], true);
  const requests = {
    signal: new AbortController().signal,
    coordinator: async () => 1,
    forgetCoordinator: () => undefined,
    request: async (...[, , api, query, , admitted]: Request) => {
      if (admitted?.() === false) throw new Error(`${api.name} is not sent any more`);
      return api.name === 'Produce' ? broker.produce(query as ProduceRequest) : answer(api.name, query as never);
    },
  };
  return Object.assign(clusterOf(broker, settings), requests);
}

/** A member of a group that has its tasks. */
export function fakeMember(more: Partial<GroupMember> = {}): GroupMember {
  const member: Partial<GroupMember> = {
    identity: { groupId: 'group', generation: 1, memberId: 'me', instanceId: null },
    heldSince: 1,
    inFlux: false,
    notes: { add: (offset: object) => ({ ...offset, metadata: '' }) } as never,
    check: () => undefined,
    checkHeld: () => undefined,
    confirm: async () => undefined,
    mayWrite: () => true,
    ...more,
  };
  return member as GroupMember;
}
