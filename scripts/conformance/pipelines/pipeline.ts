import type { Window } from 'millrace';
import { json, mapValues, nullable, type Pipeline, type StreamRecord, string, type Topic, to, topic } from 'millrace';
import type { Observable } from 'rxjs';
import type { Data, Json, Key, Row } from '../format.ts';

export type AnyTopic = Topic<Key, Json>;

/** The operators of one case, between its topics and the topic that catches their rows. */
export interface CasePipeline {
  readonly pipeline: Pipeline;
  readonly inputs: readonly AnyTopic[];
  /** The store that the case's `store` speaks of. */
  readonly store?: string;
  /** Late records are none of those that the cases call dropped. */
  readonly lateApart?: true;
}

/** A topic of any keys and values, missing ones included. */
export function anyTopic(name: string): AnyTopic {
  return topic(name, { key: nullable(string()), value: nullable(json<Data>()) });
}

/** A row on its way out: what does not fit into a record of a topic stands beside the value. */
export type Caught = Pick<Row, 'value' | 'branch'> & { readonly window?: Window };

export const ROWS: Topic<Key, Caught> = topic('rows', { key: nullable(string()), value: json<Caught>() });

export interface CatchOptions {
  readonly branch?: string;
  /** Catch the window too. */
  readonly windowed?: boolean;
}

type Source = StreamRecord<Key, Json, unknown> & { readonly window?: Window };

/** Writes every record of a stream to {@link ROWS}. */
export function catchRows(source: Observable<Source>, { branch, windowed }: CatchOptions = {}): Observable<unknown> {
  const caught = (value: Json, { window }: Source): Caught => ({
    value,
    ...(branch === undefined ? {} : { branch }),
    ...(windowed === true && window !== undefined ? { window } : {}),
  });
  return source.pipe(
    mapValues((value: Json, record: Source) => caught(value, record)),
    to(ROWS),
  );
}
