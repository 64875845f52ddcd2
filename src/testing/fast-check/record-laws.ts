import fc from 'fast-check';
import { ConfigError } from '../../errors.ts';
import { counted } from '../../options/counted.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import { show } from '../../options/option-checks.ts';
import type { StreamRecord } from '../../record.ts';
import type { TestRecord } from '../test-driver.ts';
import { agree, comparable, outOfOrder, same, sorted } from './compare-rows.ts';
import { type Feed, oneByOne } from './feed.ts';
import { type Law, law } from './law.ts';
import { throughSerdes } from './through-serdes.ts';
import { equal, totalOf } from './totals.ts';
import { attempt, rowsOf, type Subject, stamped, stepsOf, textOf, type Way } from './ways.ts';

/**
 * A row that a model returns; it is compared as it would be read from the output, and a missing timestamp not at all.
 * @public
 */
export interface ModelRow<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly timestamp?: number;
}

/** The rows that a model expects of each record, and at the end. @public */
export interface ModelSteps<K, V> {
  /** The rows of each record, in the order of the records. */
  readonly steps: readonly (readonly ModelRow<K, V>[])[];
  /** The rows at the end, when open windows close. */
  readonly closing?: readonly ModelRow<K, V>[];
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
   * be in order. If it returns the rows of each record, as the models of `millrace/testing/models` do, the law also checks which
   * record makes a row.
   */
  readonly model?: (records: readonly I[]) => readonly ModelRow<RK, RV>[] | ModelSteps<RK, RV>;
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
  // Often as far behind as may be: there is where a grace ends.
  const jitter = fc.oneof(fc.nat({ max }), fc.constantFrom(0, max));
  const jitters = fc.array(jitter, { minLength: 1, maxLength: 24 });
  const why = 'the rows depend on the order of arrival';
  return law('reorder', feed.inputs, jitters, (records, behind) => {
    const straight = records
      .map((record) => ({ ...record, timestamp: record.timestamp ?? 0 }))
      .toSorted((left, right) => left.timestamp - right.timestamp);
    const moved = straight
      .map((record, index) => ({ record, index, at: record.timestamp + (behind[index % behind.length] as number) }))
      // The other way round where the times are equal, so that a record can be as far behind as the law says.
      .toSorted((left, right) => left.at - right.at || right.index - left.index)
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
    const way = stamped(oneByOne(feed, records));
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
    const read = (rows: readonly ModelRow<RK, RV>[]): ModelRow<RK, RV>[] =>
      rows.map((row) => throughSerdes<RK, RV, ModelRow<RK, RV>>(subject.output, row));
    const wanted = attempt(program, () => {
      const made = expected(model(feed.asRead(items)), items.length);
      return 'steps' in made ? { steps: made.steps.map(read), closing: read(made.closing ?? []) } : read(made);
    });
    if ('steps' in wanted) stepByStep(subject, way, wanted);
    else {
      const [rows, got] = comparable(wanted, rowsOf(subject, way));
      same(rows, got, 'the rows are not those of the model', program);
    }
  });
}

/** @throws ConfigError `ERR_OPTION` for anything but rows, or rows of each record. */
function expected<K, V>(
  made: readonly ModelRow<K, V>[] | ModelSteps<K, V>,
  count: number,
): readonly ModelRow<K, V>[] | ModelSteps<K, V> {
  const given = made as Partial<ModelSteps<K, V>> | undefined | null;
  if (Array.isArray(given) || given?.steps?.length === count) return made;
  const what = given?.steps === undefined ? show(made) : `steps for ${counted(given.steps.length, 'record')}`;
  throw new ConfigError('ERR_OPTION', `the model returned ${what} for ${counted(count, 'record')}`, {
    hint: 'return a list of rows, or { steps, closing } with the rows of each record',
  });
}

/** Compares the rows of each record with those that the model expects of it. */
function stepByStep<K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  way: Way<K, V>,
  { closing = [], steps }: ModelSteps<RK, RV>,
): void {
  const got = stepsOf(subject, way);
  const pairs = [...steps, closing].map((rows, at) => comparable(rows, got[at] ?? []));
  const named = (which: 0 | 1): string[] =>
    pairs.flatMap((pair, at) => {
      const when = at === steps.length ? 'at the end' : `after record ${at + 1}`;
      return pair[which].map((text) => `${when}: ${text}`);
    });
  same(named(0), named(1), 'the rows are not those of the model', () => textOf(subject, way));
}
