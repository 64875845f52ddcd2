/** What makes one node of a cluster. */
export interface NodePlan {
  readonly id: number;
  readonly folder: string;
  readonly ports: Readonly<Record<PortUse, number>>;
}

/** What the ports of a node are for; `both` is SASL over TLS. */
export const portUses = ['plain', 'tls', 'sasl', 'both', 'controller'] as const;
type PortUse = (typeof portUses)[number];

/** Where a node listens, and as what. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const join = (entries: Readonly<Record<string, string | number>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** Who may log in to a listener, with each of the mechanisms. */
function logins(listener: string, { user, password }: Credentials): Readonly<Record<string, string>> {
  const modules = 'org.apache.kafka.common.security';
  const of = (mechanism: string): string => `listener.name.${listener}.${mechanism}.sasl.jaas.config`;
  return {
    [of('plain')]: `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
    [of('scram-sha-256')]: `${modules}.scram.ScramLoginModule required;`,
    [of('scram-sha-512')]: `${modules}.scram.ScramLoginModule required;`,
  };
}

/** The configuration of a combined broker and controller. */
export function nodeProperties(
  node: NodePlan,
  all: readonly NodePlan[],
  tlsFolder: string,
  credentials: Credentials,
  extra: Readonly<Record<string, string>> = {},
): string {
  const { plain, tls, sasl, both, controller } = node.ports;
  const listeners = [
    `PLAINTEXT://127.0.0.1:${plain}`,
    `SSL://localhost:${tls}`,
    `SASL_PLAINTEXT://127.0.0.1:${sasl}`,
    `SASL_SSL://localhost:${both}`,
  ].join(',');
  const replicas = all.length;
  return join({
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': all.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${node.folder}/data`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${tlsFolder}/broker.pem`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${tlsFolder}/ca.crt`,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...logins('sasl_plaintext', credentials),
    ...logins('sasl_ssl', credentials),
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
