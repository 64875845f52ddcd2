import { randomUUID } from 'node:crypto';
import { type Clock, holdingClock } from '../../dataflow/clock.ts';
import { type UnpackBudget, unpackBudget } from '../local/unpack-budget.ts';
import { type BrokerConnection, type ConnectOptions, KafkaConnection } from './kafkajs-internals.ts';
import { type Moment, momentNow } from './lease.ts';

/** What a transport takes from the machine that it runs on. Nothing else of what it does depends on where it runs, and when. */
export interface Machine {
  readonly clock: Clock;
  readonly moment: () => Moment;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** A name that nobody else has. */
  readonly name: () => string;
  /** What all that is unpacked takes. */
  readonly unpacked: UnpackBudget;
  /** Whether another thread may send heartbeats while this one is blocked. */
  readonly threads: boolean;
  /** @throws MillraceError that says what is wrong with the address, the certificate or the user */
  readonly connect: (options: ConnectOptions) => Promise<BrokerConnection>;
}

/** This one. Its timers hold the process, as open sockets do. */
export const thisMachine: Machine = {
  clock: holdingClock,
  moment: momentNow,
  random: Math.random,
  name: randomUUID,
  unpacked: unpackBudget,
  threads: true,
  connect: (options) => KafkaConnection.open(options),
};
