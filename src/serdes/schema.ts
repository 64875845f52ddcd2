import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ConfigError, RecordError } from '../errors.ts';

/**
 * How a schema is used when records are written.
 *
 * @typeParam I - The input of the schema.
 * @typeParam O - The output of the schema, which the program sees.
 * @public
 */
export interface SchemaOptions<I = unknown, O = unknown> {
  /**
   * `'both'` (default): a value is read back before it is written, so that nothing is written that its own schema
   * refuses. `'read'`: values are written unchecked.
   */
  readonly validate?: 'read' | 'both';
  /**
   * Converts the schema's output back into its input. Needed for writing if the two differ: if the schema transforms
   * values, or describes values that the format cannot represent, such as a Date in JSON.
   */
  readonly encode?: (value: O) => I;
}

/** A format that is combined with a schema. */
export interface SchemaFormat<W> {
  /** Name of the serde, for messages. */
  readonly name: string;
  write(value: unknown): W;
  read(written: W): NonNullable<unknown>;
  same(left: W, right: W): boolean;
}

/** The most issues listed in a message; a schema may find one per array element. */
const MOST_ISSUES = 3;
const PLAIN_NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** A path as a program would write it: `user.tags[2]`, `headers["content-type"]`. */
export function formatPath(path: StandardSchemaV1.Issue['path']): string {
  let text = '';
  for (const segment of path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'string' && PLAIN_NAME.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${typeof key === 'string' ? JSON.stringify(key) : String(key)}]`;
  }
  return text;
}

function listIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const lines = issues.slice(0, MOST_ISSUES).map((issue) => {
    const path = formatPath(issue.path);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > MOST_ISSUES) lines.push(`and ${issues.length - MOST_ISSUES} more`);
  return lines.join('; ');
}

function refuse(serde: string, problem: string, cause?: unknown): RecordError {
  return new RecordError('ERR_VALIDATION', `${serde} value refused by its schema: ${problem}`, {
    cause,
    hint: REFUSED,
  });
}

const REFUSED = 'fix the producer or the schema, or choose an error policy for the source';

function unwritable(serde: string, problem: string, cause?: unknown): RecordError {
  return new RecordError('ERR_VALIDATION', `${serde} cannot write a value that ${problem}`, {
    cause,
    hint: 'write what the schema accepts; a schema that transforms needs { encode }, which converts its output back',
  });
}

function ignore(): void {}

/**
 * Makes the function that validates one value and returns the schema's output.
 *
 * @throws RecordError `ERR_VALIDATION` with the first issues; ConfigError `ERR_ASYNC_SCHEMA` (when the function runs)
 * for a schema that returns a promise.
 */
export function validator(schema: StandardSchemaV1, serde: string): (value: unknown) => NonNullable<unknown> {
  const standard = schema['~standard'];
  return (value) => {
    let result: ReturnType<typeof standard.validate>;
    try {
      result = standard.validate(value);
    } catch (cause) {
      throw refuse(serde, `it threw ${String(cause)}`, cause);
    }
    if ('then' in result) {
      // Nothing awaits the result; a rejection must not become an unhandled one.
      result.then(ignore, ignore);
      throw new ConfigError(
        'ERR_ASYNC_SCHEMA',
        `The schema of ${serde} (${standard.vendor}) validates asynchronously`,
        {
          hint: 'a serde runs synchronously: move asynchronous checks from the schema to mapAsync',
        },
      );
    }
    if (result.issues) throw refuse(serde, listIssues(result.issues));
    const output = result.value;
    if (output === null || output === undefined)
      throw refuse(serde, `its output is ${output}, which only a record without a value may have`);
    return output;
  };
}

/**
 * Makes the function that writes values of a schema: it applies `encode`, and reads the result back before returning
 * it.
 *
 * A value that its schema refuses to read would stop every reader of the topic. A value that changes each time it is
 * written and read has a transform without an inverse, and would be changed silently. A schema that only normalises
 * (trims, fills in, omits) no longer changes the value after the first time.
 *
 * @returns A function that throws RecordError `ERR_VALIDATION` for values that could not be read back.
 */
export function schemaWriter<W>(
  validate: (value: unknown) => NonNullable<unknown>,
  { encode, validate: when = 'both' }: SchemaOptions,
  format: SchemaFormat<W>,
): (value: unknown) => W {
  const write = (value: unknown): W => format.write(encode === undefined ? value : encode(value));
  if (when === 'read') return write;
  const again = (written: W): W => write(validate(format.read(written)));
  return (value) => {
    const written = write(value);
    try {
      const once = again(written);
      if (format.same(once, written)) return written;
      const twice = again(once);
      // A schema that reads a clock returns a different value each time, even for the same input.
      if (format.same(twice, once) || !format.same(again(written), once)) return written;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const problem = error.message.replace(/^.*?refused by its schema: /s, '').replace(` – ${REFUSED}`, '');
      throw unwritable(format.name, `its schema would refuse to read: ${problem}`, error);
    }
    throw unwritable(format.name, 'its schema would read as another value, each time it is written');
  };
}
