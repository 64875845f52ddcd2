import { RecordError } from '../errors.ts';

const EXCERPT_BYTES = 64;

/**
 * The first bytes of a payload for an error message: quoted if they are printable ASCII, otherwise as hex. Enough to
 * recognise the producer, too little to leak a document.
 */
function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const stop = Math.min(end, start + EXCERPT_BYTES);
  let quoted = '';
  let hex = '';
  let printable = true;
  for (let i = start; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte > 0x7e) printable = false;
    quoted += String.fromCharCode(byte);
    hex += byte.toString(16).padStart(2, '0');
  }
  const more = stop < end ? '…' : '';
  const size = end - start === 1 ? '1 byte' : `${end - start} bytes`;
  if (start === end) return '0 bytes';
  return printable ? `${size}: ${JSON.stringify(quoted)}${more}` : `${size}: 0x${hex}${more}`;
}

/** The error for bytes that are not a value of this serde. */
export function decodeError(
  serde: string,
  problem: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  cause?: unknown,
): RecordError {
  return new RecordError('ERR_DECODE', `${serde} cannot read ${problem} (${excerpt(bytes, start, end)})`, {
    cause,
    hint: 'check that the producer writes this format, or choose an error policy for the source',
  });
}

/** The error for a value that this serde cannot write. */
export function encodeError(serde: string, problem: string, hint?: string, cause?: unknown): RecordError {
  return new RecordError('ERR_ENCODE', `${serde} cannot write ${problem}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Describes a wrong value in a message: by its type, never its content. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  const maker: unknown = Reflect.get(value, 'constructor');
  return typeof maker === 'function' && maker.name !== 'Object' ? `a ${maker.name}` : 'an object';
}
