import { toBase64 } from './base64.ts';

/**
 * JSON of values that JSON knows nothing of: whole numbers beyond its own, what is not a number, −0 and times as text, bytes in
 * base64, other arrays of numbers as arrays. Reading does not give these values back.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return String(each);
    if (typeof each === 'number' && !Number.isFinite(each)) return String(each);
    if (Object.is(each, -0)) return '-0';
    if (each instanceof Uint8Array) return toBase64(each);
    if (ArrayBuffer.isView(each) && !(each instanceof DataView))
      return Array.from(each as unknown as Iterable<unknown>);
    return each;
  });
}
