import type { Input } from '../inputs.ts';
import type { Ground } from '../instance.ts';
import type { Reader } from '../topic-reader.ts';
import type { LocalFault } from './local-plan.ts';

/** A log of this machine, and what can go wrong with it. */
export interface Side {
  readonly counts: Readonly<Record<string, number>>;
  /** Makes the topics; done when the world has gone on a little. */
  begin(): Promise<void>;
  /** What a process of the application stands on. @param takesOver - From one that is alive. */
  ground(takesOver: boolean): Ground;
  /** Lets a client write inputs, which goes on until they are acknowledged. */
  write(inputs: readonly Input[]): void;
  /** Whether the client has nothing left to write. */
  readonly isWritten: boolean;
  /** Gives the source more partitions. */
  grow(partitions: number): void;
  /** Sees what is there now. */
  look(): void;
  reader(topic: string): Reader;
  /** What the application has committed of a topic, by partition. */
  committed(topic: string): ReadonlyMap<number, number>;
  /** Takes all tasks away, which are given out again. @param lost - Without asking. */
  rebalance(lost: boolean): void;
  /** @returns whether it knows that fault */
  cause(fault: LocalFault): boolean;
  /** What its clients were told and is not so, in sentences. */
  wrong(): string[];
  heal(): void;
}
