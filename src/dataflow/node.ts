import type { Observable, Subscriber } from 'rxjs';
import type { RecordPolicy } from '../options/record-policy.ts';
import type { TimestampOptions } from '../options/timestamps.ts';
import type { TopicConfig } from '../options/topic-config.ts';
import type { Serde } from '../serdes/serde.ts';
import type { UnknownSpec } from '../state/store-spec.ts';
import type { CallPlace } from './call-place.ts';
import type { KeptRows } from './kept-rows.ts';
import type { PendingTimes } from './pending-times.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';
import type { TaskTime } from './task-time.ts';
import type { Traits } from './traits.ts';

/** The kind of a node, for planning and drawing. `rxjs` is a plain RxJS operator between Millrace operators. */
export type NodeKind = 'source' | 'table' | 'operator' | 'sink' | 'through' | 'rxjs';

/** How a node reads or writes a topic. */
export interface TopicUse extends TimestampOptions {
  readonly name: string;
  /** Whether this is a shuffle inside a step. Its topic name starts with the application id. */
  readonly internal?: true;
  /**
   * Present for a topic pattern: the predicate for matching names. `name` is then the pattern in slashes, which cannot
   * be a topic name.
   */
  readonly takes?: (name: string) => boolean;
  /** The pattern by which the topic was found: the `name` of that use. */
  readonly foundBy?: string;
  /** The number of partitions, if the pipeline states one. */
  readonly partitions?: number;
  readonly key?: Serde<unknown>;
  readonly value: Serde<unknown>;
  /** Configuration to create the topic with if it is missing. */
  readonly config?: TopicConfig;
  /** What to do with a failed record of this topic, instead of the application's policy. */
  readonly onRecordError?: RecordPolicy;
  /** How long without records until stream time follows the clock, in ms (default: that of the application). */
  readonly idleMs?: number;
}

/** The name of a topic in an application. */
export function topicName({ internal, name }: TopicUse, applicationId: string): string {
  return internal === true ? `${applicationId}-${name}` : name;
}

/** A store that a node owns. */
export interface StoreUse {
  readonly name: string;
  /**
   * Identifies the meaning of the stored state, such as `tumbling(1m) {clicks: count}`. It is compared with the stored
   * fingerprint; if they differ, the start is refused with an explanation.
   */
  readonly fingerprint: string;
  /** The fingerprint of an earlier version whose stores can still be opened. */
  readonly formerly?: string;
  /** How to open and read the store without the step. */
  readonly spec?: UnknownSpec;
}

/**
 * The description of one step of a pipeline. A node is created once, when the pipeline is written, and instantiated
 * once per task by `attach`.
 */
export interface NodeSpec<T> {
  readonly kind: NodeKind;
  /** The operator's name as the user wrote it: `keyBy`. */
  readonly name: string;
  /** Distinguishes steps of the same name, for messages: a store or topic. */
  readonly detail?: string;
  /** Where in the program the step was applied, for steps without a name of their own. */
  readonly place?: CallPlace;
  /** Topics read (source, table) or written (sink). */
  readonly topics?: readonly TopicUse[];
  readonly stores?: readonly StoreUse[];
  /** Global tables in which the node looks rows up. */
  readonly globals?: readonly TopicUse[];
  /** What planning must know about the records that it receives and emits. */
  readonly traits: Traits;
  /** Present if it emits changes of rows: the rows. */
  readonly rows?: KeptRows<unknown, unknown>;
  /** Whether this is a secondary output: the step keeps running even if nobody reads it any more. */
  readonly port?: boolean;
  /** Its inputs in order, if the order matters. */
  readonly inputs?: readonly Stream<unknown>[];
  /**
   * Streams that run because this node runs but are not its inputs: the sink of a shuffle, a branch of late records.
   */
  readonly roots?: readonly Observable<unknown>[];
  /** Planning: subscribes silently to everything upstream, so that it is discovered. */
  discover(): void;
  /** Running: builds this node's instance for a task and connects it to its upstream nodes. */
  attach(subscriber: Subscriber<T>, task: TaskContext, place: NodePlace): void;
}

/** What planning has found out about a node. */
export interface NodePlace {
  /** Name in messages: `windowBy(clicks-per-minute)`. */
  readonly step: string;
  readonly stage: string;
  /**
   * Serde of the keys that reach this node: that of the topics upstream. `undefined` without a key or with a changed
   * one.
   */
  readonly keySerde: Serde<unknown> | undefined;
  /** Number of steps between the topics and this node, by the longest path: its inputs have a smaller depth. */
  readonly depth: number;
  /** Whether two of its inputs derive from one source. */
  readonly diamond: boolean;
  /** The largest {@link Traits.closesAfterMs} above, for rows of windows. `undefined` without a window. */
  readonly closesAfterMs?: number | undefined;
  /** How far the time of this step may advance, if steps above emit records out of order (default: as for its task). */
  readonly time?: TaskTime | undefined;
  /** Where a step that emits records out of order keeps what it still works on. */
  readonly pending?: PendingTimes | undefined;
}

/** The name of a node in messages and drawings. */
export function stepName(spec: { readonly name: string; readonly detail?: string }): string {
  return spec.detail === undefined ? spec.name : `${spec.name}(${spec.detail})`;
}
