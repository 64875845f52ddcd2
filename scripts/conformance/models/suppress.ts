import { Buffer } from 'node:buffer';
import { type Input, numberOf, type Params, type Row, textOf } from '../format.ts';
import { aggregateModel } from './aggregate.ts';
import type { Expected } from './expected.ts';
import { windowedModel } from './windowed.ts';

interface Waits {
  row: Row;
  readonly until: number;
}

/** Rows that are held back until their window has closed, or for a time (SU-1 to SU-4). */
export function suppressModel(params: Params, inputs: readonly Input[]): Expected {
  const onClose = textOf(params, 'until') === 'close';
  const above = upstream(params, inputs);
  const delay = onClose ? closesAfter(params) : numberOf(params, 'limit');
  const most = 'maxRecords' in params && !onClose ? numberOf(params, 'maxRecords') : Number.POSITIVE_INFINITY;
  const waits = new Map<string, Waits>();
  let streamTime = -1;

  const take = (row: Row): Row[] => {
    const { key, timestamp, window } = row;
    streamTime = Math.max(streamTime, timestamp);
    const name = JSON.stringify([key, window]);
    const known = waits.get(name);
    if (known === undefined) waits.set(name, { row, until: onClose ? Number(window?.end) : timestamp });
    else known.row = row;
    const due = [...waits].sort(
      ([, one], [, other]) =>
        one.until - other.until ||
        Buffer.compare(Buffer.from(one.row.key ?? ''), Buffer.from(other.row.key ?? '')) ||
        (one.row.window?.end ?? 0) - (other.row.window?.end ?? 0) ||
        (one.row.window?.start ?? 0) - (other.row.window?.start ?? 0),
    );
    const released: Row[] = [];
    for (const [each, { row: last, until }] of due) {
      if (until > streamTime - delay && waits.size <= most) break;
      waits.delete(each);
      if (!onClose || last.value !== null) released.push(last);
    }
    return released;
  };
  const steps = above.steps.map((rows) => rows.flatMap(take));
  return { steps, ...(above.dropped === undefined ? {} : { dropped: above.dropped }) };
}

function upstream(params: Params, inputs: readonly Input[]): Expected {
  const kind = 'upstream' in params ? textOf(params, 'upstream') : 'windowed';
  if (kind === 'table') return tableWrites(inputs);
  if (kind === 'count') return aggregateModel({ ...params, aggregate: 'count' }, inputs);
  return windowedModel({ ...params, emit: 'update' }, inputs);
}

/** Each write to a table, deletions of what is not there too. */
function tableWrites(inputs: readonly Input[]): Expected {
  const steps = inputs.map(({ key, timestamp, value }): Row[] => (key === null ? [] : [{ key, value, timestamp }]));
  return { steps, dropped: inputs.filter(({ key }) => key === null).length };
}

/** How far beyond the end of a window stream time is when it has closed. */
function closesAfter(params: Params): number {
  const grace = numberOf(params, 'grace');
  switch (textOf(params, 'window')) {
    case 'session':
      return grace + numberOf(params, 'gap') + 1;
    case 'sliding':
      return grace + 1;
    default:
      return grace;
  }
}
