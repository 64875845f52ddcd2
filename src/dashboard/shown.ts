import { preview } from '../options/preview.ts';
import type { Headers, StreamRecord, Window } from '../record.ts';
import type { ShownRecord } from './live-data.ts';
import type { DashboardSettings, MaskPlace } from './options.ts';

const MAX_KEY = 200;
const MAX_VALUE = 2000;
const MAX_HEADER = 200;
const MAX_HEADERS = 20;
/** How many bytes are checked for being text. */
const MAX_BYTES = 4096;

/** Makes previews of the contents of records: masked, short, and at a cost independent of their size. */
export class Shown {
  readonly #mask: DashboardSettings['mask'];

  constructor(mask?: DashboardSettings['mask']) {
    this.#mask = mask;
  }

  /**
   * The message of a failure may quote the record. A mask cannot remove that, so the message is hidden if there is a
   * mask.
   */
  reason(text: string): string {
    return this.#mask === undefined ? text : '(not shown: records are masked)';
  }

  record(record: unknown, of: string): ShownRecord {
    const {
      headers = [],
      key,
      offset,
      partition,
      timestamp,
      topic,
      value,
      window,
    } = record as {
      readonly window?: Window;
    } & Partial<StreamRecord<unknown, unknown>>;
    return {
      topic: topic ?? '',
      partition: partition ?? -1,
      offset: offset ?? -1,
      timestamp: timestamp ?? 0,
      key: this.key(key, of),
      value: this.value(value, of),
      headers: this.headers(headers, of),
      window: window && { start: window.start, end: window.end },
    };
  }

  key(key: unknown, of: string): string {
    return this.#part(key, MAX_KEY, { part: 'key', of });
  }

  value(value: unknown, of: string): string {
    return this.#part(value, MAX_VALUE, { part: 'value', of });
  }

  headers(headers: Headers, of: string): ShownRecord['headers'] {
    return headers.slice(0, MAX_HEADERS).map(([name, value]) => ({
      name: name.length > MAX_HEADER ? `${name.slice(0, MAX_HEADER)}…` : name,
      value: this.#part(value, MAX_HEADER, { part: 'header', of, name }),
    }));
  }

  #part(value: unknown, chars: number, place: MaskPlace): string {
    try {
      return preview(textOf(this.#mask === undefined ? value : this.#mask(value, place)), chars);
    } catch {
      return '(not shown: the mask failed)';
    }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes bytes that are text. */
function textOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array) || value.length === 0) return value;
  // A character cut in two would make the text invalid.
  let end = Math.min(value.length, MAX_BYTES);
  while (end < value.length && end > 0 && ((value[end] as number) & 0xc0) === 0x80) end -= 1;
  try {
    const text = UTF8.decode(value.subarray(0, end));
    // oxlint-disable-next-line no-control-regex
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? value : text;
  } catch {
    return value;
  }
}
