import { isObservable } from 'rxjs';
import type { StoreUse } from '../dataflow/node.ts';
import { ConfigError } from '../errors.ts';
import type { JoinRules, JoinType } from '../joins/join-rules.ts';
import { type Duration, durationMs, signedDurationMs } from '../options/duration.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Serde } from '../serdes/serde.ts';
import { declareStore } from '../state/store-spec.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';
import { checkStoreName } from './keyed.ts';

/** The user's function that makes the rows of a join. */
export type Combine<W> = (left: unknown, right: unknown, at: object) => W;

/** A store of rows: its declaration, and how to decode its values. */
export interface RowsPlan {
  readonly name: string;
  readonly codec: ValueCodec<unknown>;
  readonly use: StoreUse;
}

/** A checked join, without its types. */
export interface JoinPlan<W> {
  readonly name: string;
  readonly rules: JoinRules;
  readonly combine: Combine<W>;
  readonly left: RowsPlan;
  readonly right: RowsPlan;
  /** The rows of a stream that is joined with itself. */
  readonly both: RowsPlan;
  stores(self: boolean): readonly StoreUse[];
}

/** The options of a join, without their types. */
interface Given {
  readonly store: string;
  readonly within: Duration | { readonly before: Duration; readonly after: Duration };
  readonly grace: Duration;
  readonly type?: JoinType;
  readonly late?: object;
  readonly value?: { readonly left?: unknown; readonly right?: unknown };
}

const OPTIONS = { store: true, within: true, grace: true, type: true, late: true, value: true } as const;
const SIDES = { left: true, right: true } as const;

/** @throws ConfigError `ERR_STORE_NAME`, `ERR_DURATION`, `ERR_WINDOW_SIZE`, `ERR_OPTION`, `ERR_ASYNC_FUNCTION`. */
export function planJoin<W>(right: unknown, combine: unknown, options: Given): JoinPlan<W> {
  if (!isObservable(right)) {
    throw new ConfigError('ERR_OPTION', `joinStream(…) was given ${show(right)} instead of a stream`, {
      hint: 'give it a stream, such as a topic; to join a table, use joinTable(…)',
    });
  }
  checkNames('joinStream', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'joinStream');
  const where = `joinStream(${name})`;
  checkWork(where, combine, 'joinStream(payments, (order, payment) => ({ ...order, payment }), { … })');
  const { late = {}, type = 'inner', value = {} } = options;
  checkOneOf(where, 'type', type, ['inner', 'left', 'outer']);
  checkNames(`${where}: late`, late, SIDES);
  checkNames(`${where}: value`, value, SIDES);
  const due = { name, fingerprint: 'joinStream' };
  const left = rowsPlan(`${name}-left`, value.left as ValueSerde);
  const rightRows = rowsPlan(`${name}-right`, value.right as ValueSerde);
  const both = rowsPlan(`${name}-rows`, value.left as ValueSerde);
  return {
    name,
    rules: { type, ...boundsOf(where, options.within), graceMs: durationMs(options.grace, `${where}: grace`) },
    combine: combine as Combine<W>,
    left,
    right: rightRows,
    both,
    stores: (self) => [due, ...(self ? [both.use] : [left.use, rightRows.use])],
  };
}

type ValueSerde = Serde<unknown> | undefined;

function rowsPlan(name: string, serde: ValueSerde): RowsPlan {
  const codec = serde === undefined ? msgpackCodec<unknown>(name) : (serdeCodec(serde, name) as ValueCodec<unknown>);
  const fingerprint = `joinStream as ${serde?.name ?? 'msgpack'}`;
  return { name, codec, use: declareStore({ name, kind: 'timed', key: 'upstream', value: codec, fingerprint }) };
}

function boundsOf(where: string, within: Given['within']): { readonly beforeMs: number; readonly afterMs: number } {
  if (typeof within !== 'object' || within === null) {
    const ms = durationMs(within, `${where}: within`);
    return { beforeMs: ms, afterMs: ms };
  }
  checkNames(`${where}: within`, within, { before: true, after: true });
  const beforeMs = signedDurationMs(within.before, `${where}: within.before`);
  const afterMs = signedDurationMs(within.after, `${where}: within.after`);
  if (beforeMs + afterMs >= 0) return { beforeMs, afterMs };
  throw new ConfigError(
    'ERR_WINDOW_SIZE',
    `${where}: there is nothing between ${within.before} before and ${within.after} after`,
    {
      hint: "before and after must add up to 0 or more: { before: '-5s', after: '1m' } is from 5 seconds to a minute later",
    },
  );
}
