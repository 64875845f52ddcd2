import { MillraceError } from '../../src/errors.ts';
import type { AppendResult, Producer } from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { KafkaTransport } from '../../src/transports/kafka/kafka-transport.ts';
import type { Machine } from '../../src/transports/kafka/machine.ts';
import { kafkaSettings } from '../../src/transports/kafka/options.ts';
import type { ModelBroker } from './model/broker.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { TopicReader } from './topic-reader.ts';
import type { Host, World } from './world.ts';

/** The topic that it writes to. */
export const FED = 'fed';

interface Sent {
  readonly id: number;
  readonly partition: number;
  /** How many records it has. */
  readonly size: number;
  outcome: AppendResult | MillraceError | undefined;
}

/** A client that writes many batches at a time, and takes care of none that is refused. */
export class Feeder {
  readonly host: Host;
  readonly #machine: Machine;
  readonly #plan: Plan;
  readonly #world: World;
  readonly #random: Random;
  readonly #sent: Sent[] = [];
  #producer: Producer | undefined;

  constructor(host: Host, machine: Machine, plan: Plan, world: World, random: Random) {
    this.host = host;
    this.#machine = machine;
    this.#plan = plan;
    this.#world = world;
    this.#random = random;
  }

  /** Begins, and writes in bursts as long as things go wrong. */
  async start(): Promise<void> {
    const { deliveryTimeoutMs, requestTimeoutMs, troubleMs } = this.#plan;
    const settings = kafkaSettings({ brokers: ['node-1:9092'], deliveryTimeoutMs, requestTimeoutMs });
    const bursts = this.#random.int(4, 25);
    const transport = await KafkaTransport.open(settings, this.#machine);
    this.#producer = transport.producer();
    for (let burst = 0; burst < bursts; burst++)
      this.#world.at(this.host, this.#random.next() * troubleMs, 'burst', () => this.#burst(this.#random.int(1, 9)));
  }

  #burst(count: number): void {
    const partition = this.#random.int(0, this.#plan.sources - 1);
    for (let at = 0; at < count; at++) {
      const records = new RecordBatchBuilder(64);
      const id = this.#sent.length;
      // Sizes differ, so that one batch cannot be taken for another by its numbers.
      const size = this.#random.int(1, 2);
      for (let at = 0; at < size; at++) records.append(0, `${at}`, String(id), []);
      const sent: Sent = { id, partition, size, outcome: undefined };
      this.#sent.push(sent);
      const told = (outcome: Sent['outcome']): void => void (sent.outcome = outcome);
      (this.#producer as Producer)
        .send([{ topic: FED, partition, records, compression: 'none' }])
        .then(([result]) => told(result), told);
      // The next ones go in a request of their own.
      if (this.#random.chance(0.5)) {
        const rest = count - at - 1;
        this.#world.at(this.host, this.#world.now + this.#random.next() * 20, 'burst', () => this.#burst(rest));
        return;
      }
    }
  }

  /** Whether it knows of each batch what became of it. */
  get over(): boolean {
    return this.#sent.every(({ outcome }) => outcome !== undefined);
  }

  /** What is not as it was told, in sentences. */
  problems({ topics }: ModelBroker): string[] {
    const places = new Map<number, string[]>();
    const order = new Map<number, number[]>();
    for (const { key, offset, partition, value } of new TopicReader(topics, FED).more()) {
      const id = Number(value);
      places.set(id, [...(places.get(id) ?? []), `${partition}@${offset}`]);
      if (key === '0') order.set(partition, [...(order.get(partition) ?? []), id]);
    }
    const problems: string[] = [];
    const acknowledged = new Set<number>();
    for (const { id, outcome, partition, size } of this.#sent) {
      const found = places.get(id) ?? [];
      const [first] = found;
      const told = outcome instanceof MillraceError ? outcome.message : `it is at ${partition}@${outcome?.baseOffset}`;
      const say = (what: string): void =>
        void problems.push(`${what}: ${FED} has ${id} at ${found.join(', ')}, and it was told: ${told}`);
      if (outcome === undefined) problems.push(`stall: nobody is told what became of ${FED} ${id}`);
      else if (found.length > size) say('twice');
      else if (outcome instanceof MillraceError) {
        if (found.length > 0 && outcome.written === 'no') say('invented');
      } else {
        acknowledged.add(id);
        // Of a repetition the broker may not say any more where it is.
        const there = outcome.baseOffset < 0 || first === `${partition}@${outcome.baseOffset}`;
        if (found.length < size || !there) say('lost');
      }
    }
    for (const [partition, ids] of order) {
      const known = ids.filter((id) => acknowledged.has(id));
      const at = known.findIndex((id, place) => id <= (known[place - 1] ?? -1));
      if (at >= 0) problems.push(`order violated: ${FED}/${partition} has ${known[at - 1]} before ${known[at]}`);
    }
    return problems.slice(0, 4);
  }
}
