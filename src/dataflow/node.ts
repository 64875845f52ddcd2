import type { Observable, Subscriber } from 'rxjs';
import type { RecordPolicy } from '../options/record-policy.ts';
import type { TimestampOptions } from '../options/timestamps.ts';
import type { TopicConfig } from '../options/topic-config.ts';
import type { Serde } from '../serdes/serde.ts';
import type { UnknownSpec } from '../state/store-spec.ts';
import type { CallPlace } from './call-place.ts';
import type { KeptRows } from './kept-rows.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';
import type { Traits } from './traits.ts';

/** What a node is, for planning and for pictures. `rxjs` is a plain RxJS operator between Millrace's own. */
export type NodeKind = 'source' | 'table' | 'operator' | 'sink' | 'through' | 'rxjs';

/** A topic as a node reads or writes it. */
export interface TopicUse extends TimestampOptions {
  readonly name: string;
  /** A shuffle within a step, which nobody names: what it is called begins with the id of the application. */
  readonly internal?: true;
  /** Stands for all topics whose names it takes: `name` is the pattern then, in slashes, which no topic's name has. */
  readonly takes?: (name: string) => boolean;
  /** The pattern that the topic was found by: the name of that use. */
  readonly foundBy?: string;
  /** Wanted number of partitions, where the pipeline names one. */
  readonly partitions?: number;
  readonly key?: Serde<unknown>;
  readonly value: Serde<unknown>;
  /** Configuration to create the topic with, where it is missing. */
  readonly config?: TopicConfig;
  /** What happens to a record of this topic that fails, instead of the application's policy. */
  readonly onRecordError?: RecordPolicy;
  /** How long it takes without records for stream time to go on with the clock, in ms; else that of the application. */
  readonly idleMs?: number;
}

/** What a topic is called in an application. */
export function topicName({ internal, name }: TopicUse, applicationId: string): string {
  return internal === true ? `${applicationId}-${name}` : name;
}

/** A store that a node owns. */
export interface StoreUse {
  readonly name: string;
  /**
   * What must stay the same for the stored state to keep its meaning, such as `tumbling(1m) {clicks: count}`. Compared
   * with what is stored; a difference is explained and refused.
   */
  readonly fingerprint: string;
  /** That of a version whose stores are still opened as they are. */
  readonly formerly?: string;
  /** How it is opened and read without the step. */
  readonly spec?: UnknownSpec;
}

/**
 * What one step of a pipeline is. A node is created once, when the pipeline is written, and is instantiated once per
 * task by `attach`.
 */
export interface NodeSpec<T> {
  readonly kind: NodeKind;
  /** The operator's name as the user wrote it: `keyBy`. */
  readonly name: string;
  /** Distinguishes steps of the same name, for messages: a store or topic. */
  readonly detail?: string;
  /** Where in the program the step was applied, for steps that have no name of their own. */
  readonly place?: CallPlace;
  /** Topics read (source, table) or written (sink). */
  readonly topics?: readonly TopicUse[];
  readonly stores?: readonly StoreUse[];
  /** Global tables that the node looks into. */
  readonly globals?: readonly TopicUse[];
  /** What planning has to know of the records that it takes and emits. */
  readonly traits: Traits;
  /** What it emits are changes of rows, and these are the rows. */
  readonly rows?: KeptRows<unknown, unknown>;
  /** A further output of a step: what feeds it goes on when nobody reads it any more. */
  readonly port?: boolean;
  /** What feeds it, in order, where the order matters. */
  readonly inputs?: readonly Stream<unknown>[];
  /** Streams that run because this node does but do not feed it: the sink of a shuffle, a branch of late records. */
  readonly roots?: readonly Observable<unknown>[];
  /** Planning: subscribe to whatever is upstream, with a silent observer, so that it is discovered. */
  discover(): void;
  /** Running: build this node's instance for a task and connect it to what is upstream. */
  attach(subscriber: Subscriber<T>, task: TaskContext, place: NodePlace): void;
}

/** What planning found out about a node. */
export interface NodePlace {
  /** For messages: `windowBy(clicks-per-minute)`. */
  readonly step: string;
  readonly stage: string;
  /** Serde of the keys that reach this node: that of the topics upstream. `undefined` where the key is none or new. */
  readonly keySerde: Serde<unknown> | undefined;
  /** Steps between the topics and this node, by the longest way: what feeds it is less deep. */
  readonly depth: number;
  /** Two of its inputs hang on one source. */
  readonly diamond: boolean;
  /** Of the windows that its rows are of: the longest of {@link Traits.closesAfterMs} above. `undefined` without a window. */
  readonly closesAfterMs?: number | undefined;
}

/** The name of a node in messages and pictures. */
export function stepName(spec: { readonly name: string; readonly detail?: string }): string {
  return spec.detail === undefined ? spec.name : `${spec.name}(${spec.detail})`;
}
