import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Pipeline } from '../../plan/topology.ts';
import type { LateRecord, StreamRecord } from '../../record.ts';
import type { TestDeadLetter } from '../dead-letters.ts';
import { drive, linesOf, type Operation } from '../operations.ts';
import { sourceText, variableName } from '../source-text.ts';
import { TestDriver, type TestRecord } from '../test-driver.ts';

/** The subject of the laws. */
export interface Subject<K, V, RK, RV> {
  readonly pipeline: Pipeline;
  /** Another pipeline of the same operator; the same pipeline if only that was given. */
  readonly anew: () => Pipeline;
  readonly input: Target<K, V>;
  readonly output: Target<RK, RV>;
  readonly onRecordError?: RecordPolicy;
  /** What the tries of all laws have seen, so that laws that compared nothing do not pass as kept. */
  readonly seen: { inputs: number; rows: number };
}

/** One way to process an input. */
export interface Way<K, V> {
  readonly partitions: number;
  readonly autoCommit: boolean;
  readonly operations: readonly Operation<K, V>[];
}

/** What a way leads to. */
export interface Outcome<RK, RV> {
  readonly rows: readonly StreamRecord<RK, RV | null>[];
  readonly late: readonly LateRecord<unknown, unknown>[];
  readonly deadLetters: readonly TestDeadLetter[];
}

/** The rows that a way produces. @throws Thrown */
export function rowsOf<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, way: Way<K, V>): Outcome<RK, RV>['rows'] {
  return outcomeOf(subject, way).rows;
}

/**
 * What a way leads to, including the rows of windows that are open at the end.
 *
 * @throws Thrown with what the pipeline throws, and for asynchronous calls, whose rows would come too late.
 */
export function outcomeOf<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, way: Way<K, V>): Outcome<RK, RV> {
  const { input, onRecordError, output, pipeline, seen } = subject;
  const { autoCommit, operations, partitions } = way;
  const driver = new TestDriver(pipeline, { partitions, autoCommit, ...(onRecordError && { onRecordError }) });
  return attempt(
    () => textOf(subject, way),
    () => {
      drive(driver, input, operations);
      driver.end('close');
      if (driver.tasks().some(({ pendingAsync }) => pendingAsync > 0)) throw asynchronous();
      const rows = driver.read(output);
      if (operations.length > 0) seen.inputs += 1;
      seen.rows += rows.length;
      return { rows, late: driver.late, deadLetters: driver.deadLetters };
    },
  );
}

function asynchronous(): ConfigError {
  return new ConfigError('ERR_OPTION', 'laws are checked synchronously, and the pipeline makes asynchronous calls', {
    hint: 'check it with a synchronous step in its place, such as mapValues for mapAsync, and the calls themselves with a TestDriver and await driver.settled()',
  });
}

/** What threw while a law was tried, and the program that shows it. */
export class Thrown extends Error {
  readonly program: string;

  constructor(cause: unknown, program: string) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.program = program;
  }
}

/** Runs what depends on the input of a program. @throws Thrown */
export function attempt<T>(program: () => string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Thrown(error, program());
  }
}

/** A way as the source text of a program. @param others - What it prints beside the rows. */
export function textOf<K, V, RK, RV>(
  { input, onRecordError, output }: Pick<Subject<K, V, RK, RV>, 'input' | 'onRecordError' | 'output'>,
  way: Way<K, V>,
  others: readonly ('late' | 'deadLetters')[] = [],
): string {
  const options = [
    ...(way.partitions === 1 ? [] : [`partitions: ${way.partitions}`]),
    ...(way.autoCommit ? [] : ['autoCommit: false']),
    ...(onRecordError === undefined ? [] : [`onRecordError: ${sourceText(onRecordError)}`]),
  ];
  const driver = `new TestDriver(pipeline${options.length === 0 ? '' : `, { ${options.join(', ')} }`})`;
  return [
    `const driver = ${driver};`,
    ...linesOf(input, way.operations),
    `driver.end('close');`,
    `console.log(driver.read(${variableName(output.name)}));`,
    ...others.map((each) => `console.log(driver.${each});`),
  ].join('\n');
}

const STAMP = 'millrace.test.number';

/** Records with their index in a header. */
export function stamped<R extends Pick<TestRecord<unknown, unknown>, 'headers'>>(records: readonly R[]): R[] {
  return records.map((record, at) => {
    return { ...record, headers: [...(record.headers ?? []), [STAMP, new TextEncoder().encode(String(at))] as const] };
  });
}

/** The index of the record that a row comes from. */
export function stampOf({ headers }: StreamRecord<unknown, unknown>): number | undefined {
  const found = headers.find(([name]) => name === STAMP)?.[1];
  return found ? Number(new TextDecoder().decode(found)) : undefined;
}
