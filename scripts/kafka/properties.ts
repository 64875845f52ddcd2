/** What makes one node of a cluster. */
export interface NodePlan {
  readonly id: number;
  readonly folder: string;
  readonly ports: { readonly plain: number; readonly tls: number; readonly sasl: number; readonly controller: number };
}

/** Where a node listens, and as what. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const join = (entries: Readonly<Record<string, string | number>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** The configuration of a combined broker and controller. */
export function nodeProperties(
  node: NodePlan,
  all: readonly NodePlan[],
  tlsFolder: string,
  { user, password }: Credentials,
  extra: Readonly<Record<string, string>> = {},
): string {
  const { plain, tls, sasl, controller } = node.ports;
  const listeners = `PLAINTEXT://127.0.0.1:${plain},SSL://localhost:${tls},SASL_PLAINTEXT://127.0.0.1:${sasl}`;
  const replicas = all.length;
  const login = 'org.apache.kafka.common.security';
  return join({
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': all.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${node.folder}/data`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${tlsFolder}/broker.pem`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${tlsFolder}/ca.crt`,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${user}="${password}";`,
    'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
    'super.users': 'User:ANONYMOUS',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': replicas > 1 ? 2 : 1,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': replicas > 1 ? 2 : 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    // Records of tests carry times of long ago, which must not make the broker remove them.
    'log.retention.check.interval.ms': 86_400_000,
    'log.initial.task.delay.ms': 86_400_000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.backoff.ms': 500,
    ...extra,
  });
}
