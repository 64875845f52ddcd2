import type { Observable, OperatorFunction } from 'rxjs';
import type { StoreUse } from '../dataflow/node.ts';
import { type Instance, node } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { Stream } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { PacedKeys } from '../pacing/paced-keys.ts';
import type { Rule } from '../pacing/rule.ts';
import { type Spells, spellsCodec } from '../pacing/spell.ts';
import type { Lateness, LateRecord, StreamRecord, Window } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import type { Serde } from '../serdes/serde.ts';
import { type ValueForm, valueForm } from '../state/held-record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import type { ValueCodec } from '../state/value-codec.ts';
import { Waiting } from '../state/waiting.ts';
import { heldOf, rowOfHeld } from './held-row.ts';
import { keySerdeOf } from './keyed.ts';

type Row = StreamRecord<unknown, unknown>;

/** The plan of a pacing step, which decides by event time which records of a key pass, and when. */
export interface PacingPlan {
  /** `dedupe` */
  readonly step: string;
  /** Name of the store. */
  readonly name: string;
  readonly rule: Rule;
  /** How the values of held-back records are stored. */
  readonly values?: ValueForm;
  /** Records are accepted however late they are. */
  readonly nothingIsLate?: true;
  /** Whether rows wait for stream time (default: whether values are stored). */
  readonly waits?: boolean;
  /** Identifies what must not change while state is stored. */
  readonly fingerprint: string;
  /** The bytes to compare with those of other records of the key; `undefined` if the record equals no other. */
  readonly part?: (record: Row, key: Uint8Array) => Uint8Array | undefined;
  /** Whether null values are dropped; otherwise they are treated like any other. */
  readonly dropsNull?: true;
  /** The span that a late record would have been in. */
  readonly missed: (timestamp: number) => readonly Window[];
  readonly late?: ((records: Stream<never>) => Observable<unknown>) | undefined;
  /** Where discarded records go. */
  readonly leftOut?: ((records: Stream<never>) => Observable<unknown>) | undefined;
}

/** How the values of held-back records are stored. @param listed - Whether they are in arrays. */
export function valuesAs(
  step: string,
  serde: { readonly name: string } | undefined,
  listed: boolean = false,
): Pick<PacingPlan, 'values' | 'fingerprint'> {
  const one = valueForm(serde as Serde<unknown> | undefined);
  const values: ValueForm = {
    write: (value) => (value as readonly unknown[]).map((each) => one.write(each)),
    read: (stored) => (stored as readonly unknown[]).map((each) => one.read(each)),
  };
  return { values: listed ? values : one, fingerprint: `${step} as ${serde?.name ?? 'msgpack'}` };
}

/** @throws ConfigError `ERR_DURATION`, and `ERR_OPTION` for zero. */
export function spanMsOf(where: string, option: string, span: Duration): number {
  const ms = durationMs(span, `${where}: ${option}`);
  if (ms > 0) return ms;
  throw new ConfigError('ERR_OPTION', `${where}: ${option} is ${span}`, { hint: 'give more than 0' });
}

/** @throws ConfigError `ERR_DURATION` */
export function graceMsOf(where: string, grace: Duration): number {
  return durationMs(grace, `${where}: grace`);
}

const openOf = (name: string): string => `${name}-open`;

/** Builds the operator for a plan. */
export function paced<In, Out>(plan: PacingPlan): OperatorFunction<In, Out> {
  const { late, leftOut, name, step } = plan;
  const codec = spellsCodec(plan.values ?? valueForm(undefined), openOf(name));
  return (source) =>
    node<Row, Out>([source], {
      name: step,
      detail: name,
      keepsTime: true,
      mayBeLate: plan.nothingIsLate !== true,
      waits: plan.waits ?? plan.values !== undefined,
      needsKey: true,
      stores: storesOf(plan, codec),
      ports: ['late', 'left out'],
      roots: (port) => [
        ...(late === undefined ? [] : [late(port('late'))]),
        ...(leftOut === undefined ? [] : [leftOut(port('left out'))]),
      ],
      create: (at) => pacing(at as unknown as Step<Row>, plan, codec),
    });
}

function present(spells: Spells): unknown {
  return spells.map(({ end, held, start }) =>
    held === undefined ? { start, end } : { start, end, value: held.value },
  );
}

function storesOf({ fingerprint, name, part, step }: PacingPlan, value: ValueCodec<Spells>): readonly StoreUse[] {
  const shared = { name: openOf(name), kind: 'keyValue', value, fingerprint, present } as const;
  return [
    { name, fingerprint: step },
    part === undefined ? declareStore({ ...shared, key: 'upstream' }) : declareStore({ ...shared, key: bytes() }),
  ];
}

function pacing(step: Step<Row>, plan: PacingPlan, codec: ValueCodec<Spells>): Instance {
  const { task } = step;
  const { dropsNull = false, missed, name, part, rule } = plan;
  const recordKeys = keySerdeOf<unknown>(step.place);
  const keys = part === undefined ? recordKeys : (bytes() as Serde<unknown>);
  const store = new KeyValueStore<unknown, Spells>(
    task.openStore(openOf(name)),
    keys,
    codec,
    task.cacheEntries,
    present,
  );
  const waiting = new Waiting<unknown, 'closes'>(task.openStore(name), keys, step.time, task.cacheEntries, ['closes']);
  task.addState(store);
  task.addState(waiting);
  const late = step.port<LateRecord<unknown, unknown>>('late');
  const leftOut = step.port<Row>('left out');
  /** The current record. */
  let current: Row | undefined;
  const paced = new PacedKeys<unknown>(rule, store, waiting, {
    released: (key, held) => step.emitRow(key, rowOfHeld(key, held)),
    passed: () => step.emitUpdate(current as Row),
    leftOut() {
      if (leftOut.used) leftOut.next(current as Row);
    },
    late() {
      const record = current as Row;
      const { streamTime } = paced;
      const lateness: Lateness = {
        step: step.name,
        streamTime,
        reason: 'window closed',
        missed: missed(record.timestamp),
        partial: false,
      };
      step.late(record, lateness);
      if (late.used) late.next({ ...record, late: lateness });
    },
    unread(error, key) {
      const kept = { key, keySerde: step.keySerde, window: undefined, timestamp: -1 };
      step.rowFailed(error, { ...kept, holds: 'state', content: null });
    },
  });
  return {
    take: [
      (record: Row) => {
        const { key, timestamp, value } = record;
        if (key === null || key === undefined) return step.drop('null key');
        if (dropsNull && (value === null || value === undefined)) return step.drop('null value');
        const compared = part === undefined ? key : part(record, recordKeys.serialize(key));
        if (compared === undefined) return step.out.next(record);
        current = record;
        paced.add(compared, heldOf(record, timestamp));
      },
    ],
    advance: () => paced.advance(),
    idle: { time: paced.time, due: () => paced.nextClose },
    holds: () => paced.oldest,
    closeAll: () => paced.closeAll(),
  };
}
