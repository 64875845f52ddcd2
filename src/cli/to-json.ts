import { toBase64 } from './base64.ts';

/**
 * JSON for values that JSON cannot represent: large whole numbers, NaN, infinities, −0 and dates as text, bytes in
 * base64, other typed arrays as arrays. Reading the JSON does not restore these values.
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
