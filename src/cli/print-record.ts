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

/** Chooses how to print records: with a format, as JSON, or for people. */
export function printer(
  flags: PrintFlags,
  key: Codec | undefined,
  value: Codec | undefined,
  tty: boolean,
): (record: RawRecord) => string {
  const text = flags.format ?? (flags.keyDelimiter === undefined ? undefined : keyAndValue(flags.keyDelimiter));
  if (text !== undefined) {
    const format = parseFormat(text, key, value);
    // Like kcat: a format needs an explicit line break, unless it is the default.
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

/** Shows decoded bytes; undecodable ones are shown unchanged. */
function safely(raw: Uint8Array | null, codec: Codec | undefined): string {
  try {
    return show(raw, codec);
  } catch {
    return `(cannot be decoded) ${show(raw, undefined)}`;
  }
}

/** Whether the printed key or value of a record contains a text. */
export function matches(record: RawRecord, text: string, key: Codec | undefined, value: Codec | undefined): boolean {
  return safely(record.key, key).includes(text) || safely(record.value, value).includes(text);
}

/** A format has no room for an error, so an undecodable part ends the command. */
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
