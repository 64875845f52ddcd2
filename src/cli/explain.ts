import type { MillraceError } from '../index.ts';
import { libraryError } from './library-error.ts';
import { LineError, withoutHint } from './line-error.ts';

/** An error on one line: what, where and what to do; with `debug` also the stack and the causes. */
export function explain(error: unknown, debug: boolean): string {
  if (debug && error instanceof Error) {
    const cause = error.cause === undefined ? '' : `\ncaused by ${explain(error.cause, debug)}`;
    return `${error.stack ?? error.message}${cause}`;
  }
  const known = libraryError(error);
  if (known === undefined) return error instanceof Error ? error.message : String(error);
  const hint = hintOf(known instanceof LineError ? known.of : known);
  return asFlags(`${known.code}: ${withoutHint(known)}${hint === undefined ? '' : ` – ${hint}`}`);
}

/** A hint for the command line: hints of the library mention its own calls and options. */
function hintOf(error: MillraceError): string | undefined {
  const make = HINTS[error.code];
  return make === undefined ? error.hint : (make(error) ?? error.hint);
}

/** There is no command for `salvage`, so the hint mentions the function. */
const SALVAGE =
  "stop all processes that use the folder; a program copies what is readable with salvage(path, target) of 'millrace/embedded'";

const HINTS: Readonly<Record<string, (error: MillraceError) => string | undefined>> = {
  ERR_TOPIC_EXISTS: () => 'add --if-not-exists to accept that, or delete it first',
  // Hints of the commands themselves list the existing topics.
  ERR_UNKNOWN_TOPIC: (error) =>
    /create it/.test(error.hint ?? '') ? `create it first: millrace topics create ${error.topic}` : undefined,
  ERR_UNKNOWN_PARTITION: ({ hint }) =>
    hint?.replace(
      'leave the partition out',
      'leave --partition out; with --json, --repartition chooses partitions by key',
    ),
  ERR_NO_LOG: () =>
    'name another folder with --path or MILLRACE_PATH, or a cluster with --brokers; millrace topics create creates a log',
  ERR_TOPIC_RECREATED: () => 'start the command again to read the new topic',
  ERR_OFFSET_OUT_OF_RANGE: ({ lastOffset }) =>
    lastOffset === undefined
      ? 'start with -o end, or move a group with: millrace groups reset GROUP TOPIC --to end'
      : 'start with -o start to accept the gap, or move a group with: millrace groups reset GROUP TOPIC --to start',
  ERR_RECORD_TOO_LARGE: (error) =>
    `compress with -z, or let the topic take more: millrace topics configure ${error.topic} -c maxMessageBytes=N`,
  ERR_APPLICATION_RUNNING: () =>
    'stop that process first, or use another group: a folder lets one process read for a group',
  ERR_GROUP_ACTIVE: () => 'stop its members first',
  ERR_CLOSE_DEADLINE: () =>
    'the log did not answer in time: check whether the records are there before you write them again',
  ERR_CORRUPT_BATCH: () => `start after it with -o, or ${SALVAGE}`,
  ERR_BATCH_TOO_LARGE: () => 'start after it with -o; a program reads it with a higher limit, maxUnpackedBytes',
  ERR_CORRUPT_LOG: () => SALVAGE,
  ERR_STORE_PERMISSION: ({ hint }) => hint?.replace('choose another path', 'name another folder with --path'),
};

/** Replacements of library options in messages with the flags that set them. */
const FLAGS: readonly (readonly [option: RegExp, flag: string])[] = [
  [/\bset ssl\b/g, 'add --tls'],
  [/, ssl: \{ ca \}/g, ' with --tls-ca'],
  [/\bleave ssl out\b/g, 'leave --tls out'],
  [/\bin ssl\.ca\b/g, 'with --tls-ca'],
  [/\bset sasl\b/g, 'give --sasl, --sasl-user and --sasl-password-file'],
  [/\bsasl\.username\b/g, '--sasl-user'],
  [/\bsasl\.password\b/g, '--sasl-password-file'],
  [/\bsasl\.mechanism\b/g, '--sasl'],
  [/\bKafka: a broker is\b/g, '--brokers: one is'],
];

/** Replaces options of the library with flags. */
export function asFlags(text: string): string {
  return FLAGS.reduce((said, [option, flag]) => said.replace(option, flag), text);
}
