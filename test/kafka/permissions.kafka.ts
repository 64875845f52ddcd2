import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saslUser } from '../../scripts/kafka/cluster.ts';
import type { Transport } from '../../src/log/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, failure, join, send, unique, until, values } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';

/** The user of the SASL listener may do everything but what is forbidden here. */
describe.runIf(ownCluster)('what the user may not do', () => {
  let admin: Admin;
  let owner: Transport;
  let transport: Transport;

  beforeAll(async () => {
    const own = await cluster();
    admin = new Kafka({ brokers: [...own.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    owner = await kafkaTransport({ brokers: own.brokers })();
    const sasl = { mechanism: 'plain', username: saslUser.user, password: saslUser.password } as const;
    transport = await kafkaTransport({ brokers: own.saslBrokers, sasl, guarantee: 'exactly-once' })();
  });
  afterAll(async () => {
    await Promise.all([transport.close(), owner.close(), admin.disconnect()]);
  });

  const rule = (
    permissionType: AclPermissionTypes,
    resourceType: AclResourceTypes,
    resourceName: string,
    operation: AclOperationTypes,
    resourcePatternType = ResourcePatternTypes.LITERAL,
  ) =>
    admin.createAcls({
      acl: [
        {
          resourceType,
          resourceName,
          resourcePatternType,
          principal: `User:${saslUser.user}`,
          host: '*',
          operation,
          permissionType,
        },
      ],
    });
  const forbid = (resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes, prefix = false) =>
    rule(
      AclPermissionTypes.DENY,
      resourceType,
      resourceName,
      operation,
      prefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    );

  /** A refusal takes effect a moment after it was made. */
  const refused = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    let message = '';
    for (let i = 0; !message.includes(what) && i < 200; i++) {
      message = await work().then(
        () => '',
        (error: unknown) => String(error),
      );
    }
    const error = await failure('ERR_NOT_AUTHORIZED', work);
    expect(error.errorClass).toBe('fatal');
    expect(error.message).toContain(what);
    expect(error.hint).toContain('grant');
  };

  it('is named when it is writing to a topic', async () => {
    const topic = unique('readable');
    await owner.topics.create(topic);
    await forbid(AclResourceTypes.TOPIC, topic, AclOperationTypes.WRITE);
    await refused(`topic "${topic}"`, () => send(transport, topic, 0, values('x')));
  });

  it('is named when it is reading a topic', async () => {
    const topic = unique('writable');
    await owner.topics.create(topic);
    await send(owner, topic, 0, values('x'));
    await forbid(AclResourceTypes.TOPIC, topic, AclOperationTypes.READ);
    await refused(`topic "${topic}"`, async () => {
      const fetcher = transport.fetcher({ onReady: () => undefined });
      try {
        fetcher.assign(topic, 0, 0);
        await until('a batch or an error', () => fetcher.poll(topic, 0));
      } finally {
        await fetcher.close();
      }
    });
  });

  it('does not keep it from its neighbours when it is looking up a topic', async () => {
    const [one, hidden, two] = [unique('seen'), unique('hidden'), unique('seen')];
    for (const topic of [one, hidden, two]) await owner.topics.create(topic);
    await forbid(AclResourceTypes.TOPIC, hidden, AclOperationTypes.ALL);
    await refused(`topic "${hidden}"`, () => transport.offsets(hidden, 'latest'));
    // One request looks all three up.
    const found = await Promise.allSettled([one, hidden, two].map((topic) => transport.offsets(topic, 'latest')));
    expect(found.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const producer = transport.producer();
    const sent = await Promise.allSettled(
      [one, hidden, two].map((topic) => producer.send([batch(topic, 0, values('x'))])),
    );
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await producer.close();
  });

  it('is named when it is creating topics', async () => {
    const topic = unique('forbidden');
    await forbid(AclResourceTypes.CLUSTER, 'kafka-cluster', AclOperationTypes.CREATE);
    await forbid(AclResourceTypes.TOPIC, topic, AclOperationTypes.CREATE);
    await refused(topic, () => transport.topics.create(topic, { ifMissing: true }));
  });

  it('is done without when it is only marking topics as its own', async () => {
    const [forbidden, allowed] = [unique('forbidden'), unique('allowed')];
    await owner.topics.create(forbidden);
    await owner.topics.create(allowed);
    // Where something is allowed, all else is not.
    for (const operation of [AclOperationTypes.DESCRIBE, AclOperationTypes.DESCRIBE_CONFIGS]) {
      await rule(AclPermissionTypes.ALLOW, AclResourceTypes.TOPIC, forbidden, operation);
    }
    await refused('configure the topic', () => transport.topics.configure(forbidden, { retentionMs: -1 }));
    await transport.topics.claimAll([forbidden, allowed], '0badcafe');
    const found = await owner.topics.describeAll([forbidden, allowed]);
    expect(found.get(forbidden)?.config.claim).toBeUndefined();
    expect(found.get(allowed)?.config.claim).toBe('0badcafe');
  });

  it('is named when it is joining a group', async () => {
    const [group, topic] = [unique('group'), unique('topic')];
    await owner.topics.create(topic);
    await forbid(AclResourceTypes.GROUP, group, AclOperationTypes.READ);
    await refused(`group "${group}"`, async () => (await join(transport, group, topic, 1)).session.leave());
  });

  it('is named when it is writing transactions', async () => {
    const [group, topic] = [unique('writer'), unique('topic')];
    await owner.topics.create(topic);
    await forbid(AclResourceTypes.TRANSACTIONAL_ID, group, AclOperationTypes.WRITE, true);
    await refused(`transactional id "${group}`, async () => {
      const { session, tasks } = await join(transport, group, topic, 1);
      try {
        await until('the task', () => tasks.size === 1);
        const offsets = [{ topic, partition: 0, offset: 1 }];
        await session.commit({ generation: session.generation, offsets, state: [] });
      } finally {
        await session.leave();
      }
    });
  });
});
