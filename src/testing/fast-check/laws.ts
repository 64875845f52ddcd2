import type { Arbitrary } from 'fast-check';
import { isObservable, type Observable } from 'rxjs';
import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import { counted } from '../../options/counted.ts';
import { checkNames, checkWhole, type OptionNames } from '../../options/option-checks.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Pipeline } from '../../plan/topology.ts';
import type { StreamRecord } from '../../record.ts';
import { to } from '../../sinks/to.ts';
import type { Topic } from '../../streams/topic.ts';
import type { TestRecord } from '../test-driver.ts';
import { type CommonLaws, commonLaws } from './common-laws.ts';
import type { Feed } from './feed.ts';
import { hold } from './law.ts';
import { type RecordLaws, recordLaws } from './record-laws.ts';
import { asRead } from './through-serdes.ts';
import { type Subject, subjectOf } from './ways.ts';

/** The laws for a pipeline, and its input. @public */
export interface LawsOptions<K, V, RK, RV> extends CommonLaws, RecordLaws<TestRecord<K, V>, RK, RV> {
  readonly input: Target<K, V>;
  readonly output: Target<RK, RV>;
  /** The inputs, as `records` generates them. */
  readonly records: Arbitrary<readonly TestRecord<K, V>[]>;
  readonly onRecordError?: RecordPolicy;
}

const OPTIONS: OptionNames<LawsOptions<unknown, unknown, unknown, unknown>> = {
  input: true,
  output: true,
  records: true,
  batching: true,
  restart: true,
  partitions: true,
  advance: true,
  order: true,
  reorder: true,
  conserves: true,
  model: true,
  runs: true,
  seed: true,
  onRecordError: true,
};

/**
 * Checks laws for a pipeline or an operator. Each law is tried on many inputs; the first failing one is reported with
 * the smallest input that shows it, as code to paste.
 *
 * Open windows are closed at the end of an input, so that their contents are compared too.
 *
 * @param subject - A pipeline from `input` to `output`, or an operator to put between them.
 * @throws CheckFailed, an ordinary assertion error, if a law does not hold; an Error that names the input if a pipeline, a
 * model or another function of a law throws.
 *
 * @example
 * ```ts
 * import { int32, mapValues, string, topic } from 'millrace';
 * import { expectLaws, records } from 'millrace/testing/fast-check';
 * import fc from 'fast-check';
 *
 * const numbers = topic('numbers', { key: string(), value: int32() });
 * const doubled = topic('doubled', { key: string(), value: int32() });
 * expectLaws((source) => source.pipe(mapValues((n) => n * 2)), {
 *   input: numbers,
 *   output: doubled,
 *   records: records({ keys: ['a', 'b'], values: fc.nat(100) }),
 *   partitions: true,
 *   order: true,
 *   model: (all) => all.map(({ key, value }) => ({ key: key ?? null, value: (value ?? 0) * 2 })),
 * });
 * console.log('holds'); // => holds
 * ```
 * @public
 */
export function expectLaws<K, V, RK, RV>(
  subject: Pipeline | ((source: Topic<K, V>) => Observable<StreamRecord<RK, RV | null>>),
  options: LawsOptions<K, V, RK, RV>,
): void {
  checkNames('expectLaws', options, OPTIONS);
  checkWhole('expectLaws', 'runs', options.runs, 1);
  const { input, onRecordError, output } = options;
  const anew = (): Pipeline => (typeof subject === 'function' ? asPipeline(subject, options) : subject);
  const under = subjectOf<K, V, RK, RV>({
    anew,
    rebuilds: typeof subject === 'function',
    input,
    output,
    ...(onRecordError && { onRecordError }),
  });
  const feed: Feed<TestRecord<K, V>, K, V> = {
    inputs: options.records,
    pipe: (record) => ({ do: 'pipe', record }),
    pipeAll: (records) => [{ do: 'pipeAll', records }],
    asRead: (all) => asRead<K, V, TestRecord<K, V>>(() => input, all),
  };
  const laws = [...commonLaws(under, feed, options), ...recordLaws(under, feed, options)];
  if (laws.length === 0) throw noLaws('expectLaws');
  for (const each of laws) hold(each, options);
  if (options.model === undefined && options.conserves === undefined) checkSeen('expectLaws', under);
}

/** How many inputs without any row are too many to be chance. */
const MANY = 20;

/** @throws ConfigError `ERR_OPTION` if no input led to a row, so that laws compared nothing with nothing. */
export function checkSeen<K, V, RK, RV>(where: string, { output, seen }: Subject<K, V, RK, RV>): void {
  if (seen.rows > 0 || seen.inputs < MANY) return;
  throw new ConfigError(
    'ERR_OPTION',
    `${where} compared nothing: none of ${counted(seen.inputs, 'input')} made a row in ${output.name}`,
    {
      topic: output.name,
      hint: "generate records that pass the filters of the pipeline, let wall-clock timers fire with advance: '1m', or say with model that no row is expected",
    },
  );
}

export function noLaws(where: string): ConfigError {
  return new ConfigError('ERR_OPTION', `${where} was given no law`, {
    hint: 'such as { restart: true } or { model: … }',
  });
}

function asPipeline<K, V, RK, RV>(
  operator: (source: Topic<K, V>) => Observable<StreamRecord<RK, RV | null>>,
  { input, output }: LawsOptions<K, V, RK, RV>,
): Pipeline {
  if (!isObservable(input)) {
    throw new ConfigError('ERR_OPTION', 'expectLaws was given an operator, and an input that is not a topic', {
      hint: "give what topic('numbers', { … }) returns as input, or a whole pipeline",
    });
  }
  return operator(input as unknown as Topic<K, V>).pipe(to(output as Target<RK, RV | null>) as never);
}
