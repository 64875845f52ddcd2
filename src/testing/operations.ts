import type { Target } from '../dataflow/target.ts';
import type { Duration } from '../options/duration.ts';
import { bytes } from '../serdes/index.ts';
import { topic } from '../streams/topic.ts';
import type { DriverFault } from './failing-log.ts';
import { sourceText, variableName } from './source-text.ts';
import type { TestDriver, TestRecord } from './test-driver.ts';

/** An operation of a test on a driver. Records go to the topic passed to `drive`, or to `to`. @public */
export type Operation<K, V> =
  | { readonly do: 'pipe'; readonly record: TestRecord<K, V>; readonly to?: Target<K, V> }
  | { readonly do: 'pipeAll'; readonly records: readonly TestRecord<K, V>[]; readonly to?: Target<K, V> }
  /** Bytes that the serdes of the topic cannot read. */
  | { readonly do: 'poison'; readonly record: TestRecord<Uint8Array, Uint8Array> }
  | { readonly do: 'advanceTime'; readonly by: Duration }
  | { readonly do: 'restart'; readonly how: 'crash' | 'stop' }
  | { readonly do: 'rebalance'; readonly how: 'revoked' | 'lost' }
  | { readonly do: 'failNext'; readonly what: DriverFault }
  | { readonly do: 'commit' }
  | { readonly do: 'end' };

/** Runs operations on a driver in order. @public */
export function drive<K, V>(driver: TestDriver, input: Target<K, V>, operations: Iterable<Operation<K, V>>): void {
  for (const operation of operations) once(driver, input, operation);
}

function once<K, V>(driver: TestDriver, input: Target<K, V>, operation: Operation<K, V>): void {
  switch (operation.do) {
    case 'pipe':
      driver.pipe(operation.to ?? input, operation.record);
      break;
    case 'pipeAll':
      driver.pipeAll(operation.to ?? input, operation.records);
      break;
    case 'poison':
      driver.pipe(topic(input.name, { key: bytes(), value: bytes() }), operation.record);
      break;
    case 'advanceTime':
      driver.advanceTime(operation.by);
      break;
    case 'restart':
      driver.restart(operation.how);
      break;
    case 'rebalance':
      driver.rebalance(operation.how);
      break;
    case 'failNext':
      driver.failNext(operation.what);
      break;
    case 'commit':
      driver.commit();
      break;
    default:
      driver.end('close');
  }
}

/** Operations as lines of test code. */
export function linesOf<K, V>(input: { readonly name: string }, operations: Iterable<Operation<K, V>>): string[] {
  return Array.from(operations, (operation) => {
    const { name } = ('to' in operation ? operation.to : undefined) ?? input;
    return lineOf(variableName(name), name, operation);
  });
}

function lineOf<K, V>(variable: string, name: string, operation: Operation<K, V>): string {
  switch (operation.do) {
    case 'pipe':
      return `driver.pipe(${variable}, ${sourceText(operation.record)});`;
    case 'pipeAll':
      return `driver.pipeAll(${variable}, ${sourceText(operation.records)});`;
    case 'poison': {
      const raw = `topic(${sourceText(name)}, { key: bytes(), value: bytes() })`;
      return `driver.pipe(${raw}, ${sourceText(operation.record)});`;
    }
    case 'advanceTime':
      return `driver.advanceTime(${sourceText(operation.by)});`;
    case 'restart':
      return operation.how === 'crash' ? 'driver.restart();' : `driver.restart('stop');`;
    case 'rebalance':
      return operation.how === 'revoked' ? 'driver.rebalance();' : `driver.rebalance('lost');`;
    case 'failNext':
      return `driver.failNext('${operation.what}');`;
    case 'commit':
      return 'driver.commit();';
    default:
      return `driver.end('close');`;
  }
}
