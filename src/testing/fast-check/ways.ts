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
  /** Whether `anew` builds another one. */
  readonly rebuilds: boolean;
  readonly input: Target<K, V>;
  readonly output: Target<RK, RV>;
  readonly onRecordError?: RecordPolicy;
  /** Whether the rows of a key have an order: those of several stages have none between them. */
  readonly ordered: boolean;
  /** What the tries of all laws have seen, so that laws that compared nothing do not pass as kept. */
  readonly seen: { inputs: number; rows: number };
}

/** The subject of laws about a pipeline. */
export function subjectOf<K, V, RK, RV>(
  given: Pick<Subject<K, V, RK, RV>, 'anew' | 'rebuilds' | 'input' | 'output' | 'onRecordError'>,
): Subject<K, V, RK, RV> {
  const pipeline = given.anew();
  const { stages } = new TestDriver(pipeline, optionsOf(given)).topology;
  const ordered = stages.filter(({ outputs }) => outputs.includes(given.output.name)).length <= 1;
  return { ...given, pipeline, ordered, seen: { inputs: 0, rows: 0 } };
}

function optionsOf({ onRecordError }: { readonly onRecordError?: RecordPolicy }): { onRecordError?: RecordPolicy } {
  return onRecordError === undefined ? {} : { onRecordError };
}

/** One way to process an input. */
export interface Way<K, V> {
  readonly partitions: number;
  readonly autoCommit: boolean;
  readonly operations: readonly Operation<K, V>[];
  /** Whether a restart has another pipeline, as a new process has. */
  readonly rebuilt?: boolean;
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
 * @param program - The way to show if something throws.
 * @throws Thrown with what the pipeline throws, and for asynchronous calls, whose rows would come too late.
 */
export function outcomeOf<K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  way: Way<K, V>,
  program: Way<K, V> = way,
): Outcome<RK, RV> {
  const { input, output, seen } = subject;
  const { operations, rebuilt = false } = way;
  const driver = driverOf(subject, way);
  return attempt(
    () => textOf(subject, program),
    () => {
      for (const operation of operations) {
        if (rebuilt && operation.do === 'restart') driver.restart(operation.how, subject.anew());
        else drive(driver, input, [operation]);
      }
      driver.end('close');
      checkDone(driver);
      const rows = driver.read(output);
      if (operations.length > 0) seen.inputs += 1;
      seen.rows += rows.length;
      return { rows, late: driver.late, deadLetters: driver.deadLetters };
    },
  );
}

/** The rows after each operation, and at the end. @throws Thrown */
export function stepsOf<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, way: Way<K, V>): Outcome<RK, RV>['rows'][] {
  const { input, output, seen } = subject;
  const driver = driverOf(subject, way);
  return attempt(
    () => textOf(subject, way),
    () => {
      const steps = way.operations.map((operation) => {
        drive(driver, input, [operation]);
        return driver.read(output);
      });
      driver.end('close');
      checkDone(driver);
      steps.push(driver.read(output));
      if (way.operations.length > 0) seen.inputs += 1;
      seen.rows += steps.flat().length;
      return steps;
    },
  );
}

function driverOf<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, { autoCommit, partitions }: Way<K, V>): TestDriver {
  return new TestDriver(subject.pipeline, { partitions, autoCommit, ...optionsOf(subject) });
}

function checkDone(driver: TestDriver): void {
  if (driver.tasks().some(({ pendingAsync }) => pendingAsync > 0)) throw asynchronous();
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
    ...linesOf(input, way.operations).map((line) => (way.rebuilt === true ? rebuiltLine(line) : line)),
    `driver.end('close');`,
    `console.log(driver.read(${variableName(output.name)}));`,
    ...others.map((each) => `console.log(driver.${each});`),
  ].join('\n');
}

function rebuiltLine(line: string): string {
  return line.replace(
    /^driver\.restart\((.*)\);$/,
    (_, how) => `driver.restart(${how || "'crash'"}, anotherPipeline);`,
  );
}

const STAMP = 'millrace.test.number';

/** A way whose records have their number in a header, by which rows tell whose headers they have. */
export function stamped<K, V>(way: Way<K, V>): Way<K, V> {
  let count = 0;
  const stamp = (record: TestRecord<K, V>): TestRecord<K, V> => {
    const number = new TextEncoder().encode(String(count));
    count += 1;
    return { ...record, headers: [...(record.headers ?? []), [STAMP, number] as const] };
  };
  const operations = way.operations.map((operation): Operation<K, V> => {
    if (operation.do === 'pipe') return { ...operation, record: stamp(operation.record) };
    return operation.do === 'pipeAll' ? { ...operation, records: operation.records.map(stamp) } : operation;
  });
  return { ...way, operations };
}

/** The index of the record that a row comes from. */
export function stampOf({ headers }: StreamRecord<unknown, unknown>): number | undefined {
  const found = headers.find(([name]) => name === STAMP)?.[1];
  return found ? Number(new TextDecoder().decode(found)) : undefined;
}
