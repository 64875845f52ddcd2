import fc from 'fast-check';
import { type Duration, durationMs } from '../../options/duration.ts';
import type { StreamRecord } from '../../record.ts';
import type { TestRecord } from '../test-driver.ts';
import { agree, comparable, outOfOrder, same, sorted } from './compare-rows.ts';
import { type Feed, oneByOne } from './feed.ts';
import { type Law, law } from './law.ts';
import { throughSerdes } from './through-serdes.ts';
import { equal, totalOf } from './totals.ts';
import { attempt, rowsOf, type Subject, stamped, textOf } from './ways.ts';

/**
 * A row that a model returns; it is compared as it would be read from the output, and a missing timestamp not at all.
 * @public
 */
export interface ModelRow<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly timestamp?: number;
}

/** Laws that set the rows against the records. @typeParam I - A record. @public */
export interface RecordLaws<I, RK, RV> {
  /**
   * The rows of a key are in the order of their records (default: `false`). Rows must have the headers of their record.
   */
  readonly order?: boolean;
  /** The rows do not depend on the order of arrival, as long as no record is more than this behind (the grace). */
  readonly reorder?: Duration;
  /**
   * Nothing is lost or invented: these numbers add up to the same over all records as over all rows. Fractions may
   * differ by what rounding makes of them in another order.
   */
  readonly conserves?: {
    readonly ofRecord: (record: I) => number;
    readonly ofRow: (row: StreamRecord<RK, RV | null>) => number;
  };
  /**
   * A plain function from all records, as they are read, in order of arrival to the expected rows; rows of one key must
   * be in order.
   */
  readonly model?: (records: readonly I[]) => readonly ModelRow<RK, RV>[];
}

export function recordLaws<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  { conserves, model, order = false, reorder }: RecordLaws<I, RK, RV>,
): Law[] {
  return [
    ...(reorder === undefined ? [] : [reorderLaw(subject, feed, durationMs(reorder, 'reorder'))]),
    ...(order ? [orderLaw(subject, feed)] : []),
    ...(conserves === undefined ? [] : [conservationLaw(subject, feed, conserves)]),
    ...(model === undefined ? [] : [modelLaw(subject, feed, model)]),
  ];
}

const plain = fc.constant(undefined);

function reorderLaw<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  max: number,
): Law {
  const jitters = fc.array(fc.nat({ max }), { minLength: 1, maxLength: 24 });
  const why = 'in another order of arrival the rows are not those in order';
  return law('reorder', feed.inputs, jitters, (records, jitter) => {
    const straight = records
      .map((record) => ({ ...record, timestamp: record.timestamp ?? 0 }))
      .toSorted((left, right) => left.timestamp - right.timestamp);
    const moved = straight
      .map((record, at) => ({ record, at: record.timestamp + (jitter[at % jitter.length] as number) }))
      .toSorted((left, right) => left.at - right.at)
      .map(({ record }) => record);
    // Which of two joined records comes last, and so gives the row its headers, is a question of arrival.
    agree(subject, oneByOne(feed, straight), oneByOne(feed, moved), { as: sorted, why, headers: false });
  });
}

function orderLaw<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
): Law {
  return law('order', feed.inputs, plain, (records) => {
    const way = oneByOne(feed, stamped(records));
    const why = 'rows of a key are not in the order of their records';
    same([], outOfOrder(subject, way), why, () => textOf(subject, way));
  });
}

function conservationLaw<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  { ofRecord, ofRow }: NonNullable<RecordLaws<I, RK, RV>['conserves']>,
): Law {
  return law('conserves', feed.inputs, plain, (records) => {
    const way = oneByOne(feed, records);
    const rows = rowsOf(subject, way);
    const program = (): string => textOf(subject, way);
    const [given, got] = attempt(program, () => [
      totalOf('ofRecord', feed.asRead(records), ofRecord),
      totalOf('ofRow', rows, ofRow),
    ]);
    if (equal(given, got)) return;
    same(given.sum, got.sum, `the records add up to ${given.sum}, and the rows to ${got.sum}`, program);
  });
}

function modelLaw<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  model: NonNullable<RecordLaws<I, RK, RV>['model']>,
): Law {
  return law('model', feed.inputs, plain, (items) => {
    const way = oneByOne(feed, items);
    const program = (): string => textOf(subject, way);
    const wanted = attempt(program, () =>
      model(feed.asRead(items)).map((row) => throughSerdes<RK, RV, ModelRow<RK, RV>>(subject.output, row)),
    );
    const [expected, got] = comparable(wanted, rowsOf(subject, way));
    same(expected, got, 'the rows are not those of the model', program);
  });
}
