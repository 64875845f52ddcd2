import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaCluster, saslUser } from './cluster.ts';
import { cacheFolder, whyNoKafka } from './java.ts';

const usage = `usage: kafka start [--nodes 3] | stop | kill [--node n] | restart [--node n] | status

  start    fetches Kafka if necessary and starts an empty cluster on free ports
  stop     stops it and removes its data
  kill     ends its processes without warning; restart brings them back with their data
  restart  stops and starts its nodes
  status   says where it listens`;

const folder = join(cacheFolder, 'cluster');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function describe(cluster: KafkaCluster): void {
  const running = cluster.nodeIds.filter((id) => cluster.isRunning(id)).length;
  const lines = [
    `${running} of ${cluster.nodeIds.length} nodes running`,
    `brokers  ${cluster.brokers.join(',')}`,
    `TLS      ${cluster.tlsBrokers.join(',')}  authority ${join(folder, 'tls', 'ca.crt')}`,
    `SASL     ${cluster.saslBrokers.join(',')}  user ${saslUser.user}, password ${saslUser.password}`,
    `SASL_SSL ${cluster.saslTlsBrokers.join(',')}`,
    `logs     ${join(folder, 'node-*', 'broker.log')}`,
  ];
  say(lines.join('\n'));
}

async function existing(): Promise<KafkaCluster> {
  const cluster = await KafkaCluster.find(folder);
  if (cluster === undefined) throw new Error('no cluster has been started here');
  return cluster;
}

/** The number that an option names. */
function countOf(option: string, text: string, most: number): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0 && count <= most) return count;
  throw new Error(`--${option} takes a whole number from 1 to ${most}, and not ${text}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: 'string', default: '1' },
      node: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command] = positionals;
  const nodes = countOf('nodes', values.nodes, 9);
  const chosenOf = ({ nodeIds }: KafkaCluster): readonly number[] =>
    values.node === undefined ? nodeIds : [countOf('node', values.node, nodeIds.length)];
  if (values.help) {
    say(usage);
  } else if (command === 'start') {
    const reason = await whyNoKafka();
    if (reason !== undefined) throw new Error(reason);
    const before = await KafkaCluster.find(folder);
    if (before?.nodeIds.some((id) => before.isRunning(id))) throw new Error('it is running; stop it first');
    await rm(folder, { recursive: true, force: true });
    describe(await KafkaCluster.start({ folder, nodes }));
  } else if (command === 'stop') {
    const cluster = await existing();
    await cluster.stop();
    await cluster.remove();
  } else if (command === 'kill') {
    const cluster = await existing();
    await cluster.kill(chosenOf(cluster));
  } else if (command === 'restart') {
    const cluster = await existing();
    const chosen = chosenOf(cluster);
    await cluster.stop(chosen);
    await cluster.restart(chosen);
    describe(cluster);
  } else if (command === 'status') {
    describe(await existing());
  } else {
    throw new Error(usage);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
