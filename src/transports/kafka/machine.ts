import { randomUUID } from 'node:crypto';
import { type Clock, holdingClock } from '../../dataflow/clock.ts';
import { type UnpackBudget, unpackBudget } from '../local/unpack-budget.ts';
import { type BrokerConnection, type ConnectOptions, KafkaConnection } from './kafkajs-internals.ts';
import { type Moment, momentNow } from './lease.ts';

/** What a transport uses of its machine. Nothing else in it depends on where and when it runs. */
export interface Machine {
  readonly clock: Clock;
  readonly moment: () => Moment;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
  /** A unique name. */
  readonly name: () => string;
  /** The memory budget for unpacked batches. */
  readonly unpacked: UnpackBudget;
  /** Whether another thread may send heartbeats while this one is blocked. */
  readonly threads: boolean;
  /** @throws MillraceError that says what is wrong with the address, the certificate or the user */
  readonly connect: (options: ConnectOptions) => Promise<BrokerConnection>;
}

/** The real machine. Its timers keep the process alive, as open sockets do. */
export const thisMachine: Machine = {
  clock: holdingClock,
  moment: momentNow,
  random: Math.random,
  name: randomUUID,
  unpacked: unpackBudget,
  threads: true,
  connect: (options) => KafkaConnection.open(options),
};
