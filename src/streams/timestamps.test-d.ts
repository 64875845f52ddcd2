import { globalTable, json, string, table, topic } from 'millrace';
import { describe, expectTypeOf, it } from 'vitest';

interface Trip {
  readonly at: number;
}

describe('timestamp of a source', () => {
  it('knows the types of keys and values', () => {
    const trips = topic('trips', {
      key: string(),
      value: json<Trip>(),
      timestamp: (trip, record, { now, partitionTime }) => {
        expectTypeOf(trip).toEqualTypeOf<Trip>();
        expectTypeOf(record.key).toEqualTypeOf<string>();
        return trip.at ?? Math.max(record.timestamp, now, partitionTime);
      },
    });
    expectTypeOf(trips.value.deserialize).returns.toEqualTypeOf<Trip>();
    topic(/^trips-/, { value: json<Trip>(), timestamp: ({ at }) => at, onInvalidTimestamp: 'record-time' });
    topic('trips', { value: json<Trip>(), timestamp: ({ at }, { key }) => (key === null ? at : 0) });
  });

  it('gets null for the value of a deletion in a table', () => {
    const rows = table('rows', {
      key: string(),
      value: json<Trip>(),
      timestamp: (row, { timestamp }) => {
        expectTypeOf(row).toEqualTypeOf<Trip | null>();
        return row?.at ?? timestamp;
      },
    });
    expectTypeOf(rows.value.deserialize).returns.toEqualTypeOf<Trip>();
    // @ts-expect-error a deletion has no field
    table('rows', { key: string(), value: json<Trip>(), timestamp: (row) => row.at });
  });

  it('refuses what is no number, a promise, and a global table', () => {
    // @ts-expect-error a text is no time
    topic('trips', { value: json<Trip>(), timestamp: () => '2026' });
    // @ts-expect-error nothing awaits it
    topic('trips', { value: json<Trip>(), timestamp: async () => 5 });
    // @ts-expect-error the policy is that of onRecordError
    topic('trips', { value: json<Trip>(), onInvalidTimestamp: 'skip' });
    // @ts-expect-error a global table lies outside of time
    globalTable('trips', { key: string(), value: json<Trip>(), timestamp: () => 5 });
  });
});
