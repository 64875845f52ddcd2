import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkWhole, show } from '../options/option-checks.ts';
import { checkSync } from '../options/promises.ts';
import type { TimerKind } from '../state/timer-store.ts';
import type { KeyValueDeclaration } from './key-value.ts';
import { checkStoreName } from './keyed.ts';

/** A user function, without its types. */
export type StepFunction = (at: unknown, step: unknown) => unknown;

/** A checked step, without its types. */
export interface ProcessPlan {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly (readonly [alias: string, store: KeyValueDeclaration<unknown, unknown>])[];
  readonly kinds: ReadonlyMap<string, TimerKind>;
  readonly intervals: readonly { readonly name: string; readonly kind: TimerKind; readonly everyMs: number }[];
  readonly due: Readonly<Record<string, StepFunction>>;
  readonly outputs: readonly string[];
  readonly into: Readonly<Record<string, StepFunction>>;
  /** Functions that handle a record, by input. */
  readonly next: readonly StepFunction[];
}

type Loose = Readonly<Record<string, unknown>>;

const NAMES = {
  name: true,
  version: true,
  stores: true,
  timers: true,
  emits: true,
  outputs: true,
  into: true,
  due: true,
  next: true,
} as const;

/**
 * Checks the definition of a step.
 *
 * @param kind - `process` or `processAll`.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`, `ERR_ASYNC_FUNCTION`.
 */
export function planProcess(kind: string, definition: object, inputs: number): ProcessPlan {
  const given = (definition ?? {}) as Loose;
  const name = checkStoreName(given['name'], kind, 'name');
  const where = `${kind}(${name})`;
  checkNames(where, given, NAMES);
  checkWhole(where, 'version', given['version']);
  const stores = Object.entries((given['stores'] ?? {}) as Record<string, KeyValueDeclaration<unknown, unknown>>);
  for (const [alias, store] of stores) {
    if (store?.kind !== 'key-value')
      throw wrong(where, `stores.${alias}`, store, "a store: keyValue('name', { value })");
  }
  const outputs = Object.keys(given['outputs'] ?? {});
  const into = (given['into'] ?? {}) as Record<string, StepFunction>;
  for (const [output, make] of Object.entries(into)) {
    if (!outputs.includes(output))
      throw wrong(where, `into.${output}`, make, `one of its outputs: ${outputs.join(', ')}`);
    checkFunction(where, `into.${output}`, make);
  }
  const due = (given['due'] ?? {}) as Record<string, StepFunction>;
  const timers = Object.entries((given['timers'] ?? {}) as Loose);
  const declared = timers.map(([timer]) => timer);
  for (const timer of declared) checkFunction(where, `due.${timer}`, due[timer]);
  for (const timer of Object.keys(due)) {
    if (!declared.includes(timer)) throw wrong(where, `due.${timer}`, due[timer], 'a timer with that name in `timers`');
  }
  const next = (inputs === 1 && kind === 'process' ? [given['next']] : given['next']) as readonly StepFunction[];
  if (!Array.isArray(next) || next.length !== inputs)
    throw wrong(where, 'next', next, `${inputs} functions, one per input`);
  next.forEach((each, at) => checkFunction(where, next.length === 1 ? 'next' : `next[${at}]`, each));
  const kinds = new Map<string, TimerKind>();
  const intervals: { name: string; kind: TimerKind; everyMs: number }[] = [];
  for (const [timer, how] of timers) {
    if (isKind(how)) kinds.set(timer, how);
    else intervals.push({ name: timer, ...intervalOf(where, timer, how) });
  }
  return { name, version: (given['version'] ?? 1) as number, stores, kinds, intervals, due, outputs, into, next };
}

/** Whether the step uses the wall clock. */
export function usesWallClock({ intervals, kinds }: ProcessPlan): boolean {
  return [...kinds.values(), ...intervals.map(({ kind }) => kind)].includes('wall-clock');
}

function isKind(how: unknown): how is TimerKind {
  return how === 'stream-time' || how === 'wall-clock';
}

function intervalOf(
  where: string,
  timer: string,
  how: unknown,
): { readonly kind: TimerKind; readonly everyMs: number } {
  const { every, of } = (how ?? {}) as { readonly every?: Duration; readonly of?: unknown };
  if (every === undefined || !isKind(of)) {
    throw wrong(where, `timers.${timer}`, how, "'stream-time', 'wall-clock', or { every: '10s', of: 'stream-time' }");
  }
  const everyMs = durationMs(every, `${where}: timers.${timer}.every`);
  if (everyMs === 0) throw wrong(where, `timers.${timer}.every`, every, 'a duration above 0');
  return { kind: of, everyMs };
}

function checkFunction(where: string, name: string, work: unknown): void {
  if (typeof work !== 'function') throw wrong(where, name, work, 'a function');
  checkSync(`${where}: ${name}`, work);
}

function wrong(where: string, name: string, given: unknown, wanted: string): ConfigError {
  return new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(given)}`, { hint: `give ${wanted}` });
}
