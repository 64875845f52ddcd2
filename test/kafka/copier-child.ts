import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { Copier } from './copier.ts';

/** A process that copies a topic until it is told to stop. It says on its output what happens. */
const { brokers, guarantee, groupId, from, to, partitions, sessionTimeoutMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly brokers: readonly string[];
  readonly guarantee: 'at-least-once' | 'exactly-once';
  readonly groupId: string;
  readonly from: string;
  readonly to: string;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
};
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const open = kafkaTransport({
  brokers,
  guarantee,
  sessionTimeoutMs,
  heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 10),
  transactionTimeoutMs: sessionTimeoutMs * 2,
});
const copier = await Copier.start(open, {
  groupId,
  from,
  to,
  partitions,
  onTrouble: (error) => say(`trouble ${String(error)}`),
  onCommit: (records, copied) => say(`copied ${records} ${JSON.stringify(copied)}`),
});
say('joined');
process.once('SIGTERM', () => {
  void copier.stop().then(() => process.exit(0));
});
