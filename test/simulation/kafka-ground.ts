import { StoreError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/logger.ts';
import type { OpenTransport } from '../../src/log/transport.ts';
import type { StoreBackend } from '../../src/state/byte-store.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';
import { KafkaTransport } from '../../src/transports/kafka/kafka-transport.ts';
import type { Machine } from '../../src/transports/kafka/machine.ts';
import { kafkaSettings } from '../../src/transports/kafka/options.ts';
import { UnpackBudget } from '../../src/transports/local/unpack-budget.ts';
import type { Ground } from './instance.ts';
import type { Network } from './network.ts';
import { type Plan, SESSION_MS } from './plan.ts';
import type { Random } from './random.ts';
import type { Host } from './world.ts';

/** A machine in reach of the brokers, with a disk for stores. */
export class KafkaGround implements Ground {
  /** Writing to the disk fails. */
  diskFull = false;
  readonly #number: number;
  readonly #network: Network;
  readonly #plan: Plan;
  readonly #random: Random;
  #disk: StoreBackend = memoryStores();
  #names = 0;

  constructor(number: number, network: Network, plan: Plan, random: Random) {
    this.#number = number;
    this.#network = network;
    this.#plan = plan;
    this.#random = random;
  }

  begin(host: Host, logger: Logger): OpenTransport {
    const plan = this.#plan;
    if (plan.disks[this.#number] !== true) this.#disk = memoryStores();
    const disk = this.#disk;
    const machine = machineOf(host, this.#network, this.#random, () => `name-${this.#number}-${++this.#names}`);
    const settings = kafkaSettings({
      brokers: ['node-1:9092'],
      guarantee: plan.guarantee,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 1000,
      maxPollIntervalMs: 30_000,
      requestTimeoutMs: plan.requestTimeoutMs,
      deliveryTimeoutMs: plan.deliveryTimeoutMs,
      transactionTimeoutMs: 10_000,
      stores: async () => ({
        open: (id) => disk.open(id),
        list: (id) => disk.list(id),
        check: (writes) => disk.check(writes),
        apply: (writes) => {
          if (!host.alive) throw new Error('the process is dead');
          if (this.diskFull) throw new StoreError('ERR_STORE_WRITE', 'the disk is full', { written: 'no' });
          disk.apply(writes);
        },
        close: async () => undefined,
      }),
      logger,
    });
    return () => KafkaTransport.open(settings, machine);
  }

  died(host: Host): void {
    this.#network.cut({ host });
  }
}

/** What a process takes from its machine. */
export function machineOf(host: Host, network: Network, random: Random, name: () => string): Machine {
  const { clock } = host;
  return {
    clock,
    moment: () => ({ monotonicMs: Math.floor(clock.monotonic()), wallMs: clock.now() }),
    random: random.next,
    name,
    unpacked: new UnpackBudget(clock),
    threads: false,
    connect: (options) => network.connect(host, options),
  };
}
