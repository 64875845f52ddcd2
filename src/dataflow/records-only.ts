import type { Observable } from 'rxjs';
import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import type { Take } from './operator.ts';
import { Stream } from './stream.ts';

/**
 * Accepts only records from a plain RxJS operator, which may emit anything: anything else would fail further down, in a
 * step that is not at fault.
 */
export function recordsOnly(take: Take<unknown>, input: Observable<unknown>): Take<unknown> {
  return (record) => {
    if (!isRecord(record)) throw notARecord(record, input);
    take(record);
  };
}

/**
 * Checks the fields that every step needs. The other fields say where a record was read, and a program may omit them.
 */
function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { headers, timestamp } = value as Readonly<Record<string, unknown>>;
  return typeof timestamp === 'number' && Array.isArray(headers);
}

/** @throws ConfigError `ERR_NOT_A_RECORD` */
function notARecord(value: unknown, input: Observable<unknown>): ConfigError {
  const place = input instanceof Stream ? input.spec.place?.toString() : undefined;
  const where = place === undefined ? '' : `, at ${place},`;
  return new ConfigError(
    'ERR_NOT_A_RECORD',
    `the RxJS operator above${where} emitted ${show(value)}, which is not a record`,
    {
      hint:
        'a plain map has to keep the record: map((record) => ({ ...record, value })); or use mapValues(…), and mapRecord(…) for ' +
        'another key',
    },
  );
}
