import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ConfigError, RecordError } from '../errors.ts';

/**
 * When a schema is asked.
 *
 * @public
 */
export interface SchemaOptions {
  /**
   * `'read'` (default): what is read is validated, and the schema's output is what the program sees. `'both'`: what is
   * written is validated too; the value is then written as it was given, not as the schema's output.
   */
  readonly validate?: 'read' | 'both';
}

/** Issues that a message lists; a schema may find one per array element. */
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
    hint: 'mend the producer or the schema, or choose an error policy for the source',
  });
}

function ignore(): void {}

/**
 * Makes the function that validates one value and returns the schema's output.
 *
 * @throws RecordError `ERR_VALIDATION` with the first issues; ConfigError `ERR_ASYNC_SCHEMA` (when the function runs)
 * for a schema that answers with a promise.
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
      // Nobody waits for the answer; a rejection must not become an unhandled one.
      result.then(ignore, ignore);
      throw new ConfigError(
        'ERR_ASYNC_SCHEMA',
        `The schema of ${serde} (${standard.vendor}) validates asynchronously`,
        {
          hint: 'a serde runs synchronously: take asynchronous checks out of the schema and do them in mapAsync',
        },
      );
    }
    if (result.issues) throw refuse(serde, listIssues(result.issues));
    const output = result.value;
    if (output === null || output === undefined)
      throw refuse(serde, `its output is ${output}, which only a null record says`);
    return output;
  };
}
