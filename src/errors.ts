/**
 * The class of an error says how the runtime reacts to it.
 *
 * - `config`: a wrong option, name or type; nothing was started.
 * - `fatal`: needs a person (missing topic, incompatible store); a retry does not help.
 * - `retriable`: may work on the next try (network, moved leader, throttled).
 * - `retriable-exhausted`: still failing after the deadline of its retries.
 * - `migrated`: the task belongs to another process now.
 * - `abortable`: the open transaction must be aborted and replayed.
 * - `record`: one record is bad (decode, validation, size, user code); a record policy decides.
 * - `store`: storage is damaged, full or locked.
 *
 * @public
 */
export type ErrorClass =
  | 'config'
  | 'fatal'
  | 'retriable'
  | 'retriable-exhausted'
  | 'migrated'
  | 'abortable'
  | 'record'
  | 'store';

/**
 * Where an error happened and what to do about it. All fields are optional, and absent fields are left out.
 *
 * @public
 */
export interface ErrorDetails {
  /** The error that caused this one. */
  readonly cause?: unknown;
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string;
  /** The pipeline stage. */
  readonly stage?: string;
  /** The step inside the stage, such as `windowBy(clicks-per-minute)`. */
  readonly step?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  /** For a damaged range: the last affected offset, inclusive. */
  readonly lastOffset?: number;
  /** For writes: `'no'` if the data was certainly not written, `'unknown'` if it may have been. */
  readonly written?: 'no' | 'unknown';
}

function place(message: string, details: ErrorDetails): string {
  const parts: string[] = [];
  if (details.topic !== undefined && !(details.partition === undefined && names(message, details.topic))) {
    let at = details.topic;
    if (details.partition !== undefined) at += `/${details.partition}`;
    if (details.offset !== undefined) {
      at += `@${details.offset}`;
      if (details.lastOffset !== undefined && details.lastOffset !== details.offset) at += `..${details.lastOffset}`;
    }
    parts.push(at);
  }
  if (details.step !== undefined) parts.push(`step ${details.step}`);
  if (details.stage !== undefined) parts.push(`stage ${details.stage}`);
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

/** Whether a message says already which topic it is about. */
function names(message: string, topic: string): boolean {
  return message.split(/[\s,:;'"()]+/).some((word, i, words) => word === topic && words[i - 1] === 'topic');
}

/**
 * The base of every error that Millrace raises.
 *
 * `code` is stable across versions and meant for programs; the message is meant for people and may change. It says
 * what, where (in brackets) and, after the dash, what to do.
 *
 * @public
 */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError';
  /** Stable identifier such as `ERR_DECODE`. */
  readonly code: string;
  readonly errorClass: ErrorClass;
  readonly hint: string | undefined;
  readonly stage: string | undefined;
  readonly step: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
  readonly lastOffset: number | undefined;
  readonly written: 'no' | 'unknown' | undefined;

  constructor(errorClass: ErrorClass, code: string, message: string, details: ErrorDetails = {}) {
    super(
      `${message}${place(message, details)}${details.hint === undefined ? '' : ` – ${details.hint}`}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.errorClass = errorClass;
    this.hint = details.hint;
    this.stage = details.stage;
    this.step = details.step;
    this.topic = details.topic;
    this.partition = details.partition;
    this.offset = details.offset;
    this.lastOffset = details.lastOffset;
    this.written = details.written;
  }

  /** Whether the same call may succeed when tried again. */
  get retriable(): boolean {
    return this.errorClass === 'retriable';
  }
}

/** A wrong option, name or type: raised before anything starts. @public */
export class ConfigError extends MillraceError {
  override readonly name = 'ConfigError';
  constructor(code: string, message: string, details?: ErrorDetails) {
    super('config', code, message, details);
  }
}

/** One record cannot be decoded, validated, processed or written; the record policy decides. @public */
export class RecordError extends MillraceError {
  override readonly name = 'RecordError';
  constructor(code: string, message: string, details?: ErrorDetails) {
    super('record', code, message, details);
  }
}

/** Storage is damaged, full, locked, or not Millrace's. @public */
export class StoreError extends MillraceError {
  override readonly name = 'StoreError';
  constructor(code: string, message: string, details?: ErrorDetails) {
    super('store', code, message, details);
  }
}

/** A condition that needs a person: the application stops with this error. @public */
export class FatalError extends MillraceError {
  override readonly name = 'FatalError';
  constructor(code: string, message: string, details?: ErrorDetails) {
    super('fatal', code, message, details);
  }
}

/** The message without the place and the hint that the constructor appended. */
export function bareMessage(error: MillraceError): string {
  const hint = error.hint === undefined ? '' : ` – ${error.hint}`;
  const message = hint !== '' && error.message.endsWith(hint) ? error.message.slice(0, -hint.length) : error.message;
  return message.replace(/ \[[^[\]]*\]$/, '');
}
