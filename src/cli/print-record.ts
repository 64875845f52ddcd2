import { RecordError } from '../index.ts';
import type { Codec } from './codecs.ts';
import { envelope, type RawRecord } from './envelope.ts';
import { isoOf, parseFormat, show } from './format.ts';
import { withoutHint } from './line-error.ts';

interface PrintFlags {
  readonly format?: string;
  readonly keyDelimiter?: string;
  readonly json?: boolean;
}

const keyAndValue = (delimiter: string): string => `%k${delimiter.replaceAll('%', '%%')}%v\\n`;

/** How records are printed: by a format, as JSON, or for people. */
export function printer(
  flags: PrintFlags,
  key: Codec | undefined,
  value: Codec | undefined,
  tty: boolean,
): (record: RawRecord) => string {
  const text = flags.format ?? (flags.keyDelimiter === undefined ? undefined : keyAndValue(flags.keyDelimiter));
  if (text !== undefined) {
    const format = parseFormat(text, key, value);
    // As kcat does: the end of a line has to be asked for, unless nothing else was.
    const newline = /\\n|\n/.test(text) ? '' : '\n';
    return (record) => {
      try {
        return format(record) + newline;
      } catch (error) {
        throw unprintable(record, error);
      }
    };
  }
  if (flags.json === true || !tty) return (record) => `${envelope(record, key, value)}\n`;
  return (record) => {
    const place = `${record.partition}@${record.offset}`;
    return `${place.padEnd(10)} ${isoOf(record.timestamp)}  ${safely(record.key, key)}  ${safely(record.value, value)}\n`;
  };
}

/** As decoded; what cannot be decoded stands there as it is. */
function safely(raw: Uint8Array | null, codec: Codec | undefined): string {
  try {
    return show(raw, codec);
  } catch {
    return `(cannot be decoded) ${show(raw, undefined)}`;
  }
}

/** Whether a text is in the key or the value of a record, as they are printed. */
export function matches(record: RawRecord, text: string, key: Codec | undefined, value: Codec | undefined): boolean {
  return safely(record.key, key).includes(text) || safely(record.value, value).includes(text);
}

/** With a format nothing but the value has a place: what cannot be decoded ends the command. */
function unprintable({ offset, partition, topic }: RawRecord, error: unknown): unknown {
  if (!(error instanceof RecordError)) return error;
  return new RecordError(error.code, withoutHint(error), {
    cause: error,
    topic,
    partition,
    offset,
    hint: 'print it as it is: without --key and --value, with %v{hex}, or with --json, which says what is wrong',
  });
}
