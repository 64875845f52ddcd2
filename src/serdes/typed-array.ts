type TypedArray =
  | Int8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** The first byte of a written typed array is its place in this list, which may grow but never change. */
const KINDS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Reverses the byte order of each element, in place. */
function swap(bytes: Uint8Array, elementSize: number): void {
  for (let at = 0; at < bytes.length; at += elementSize) bytes.subarray(at, at + elementSize).reverse();
}

/** Any typed array but `Uint8Array`, for which MessagePack has a format. */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof Uint8Array);
}

/** One byte for the kind, then the elements, little-endian on every machine. */
export function encodeTypedArray(array: TypedArray): Uint8Array {
  const kind = KINDS.findIndex((candidate) => array instanceof candidate);
  if (kind === -1) throw new TypeError('a typed array of unknown kind');
  const elements = new Uint8Array(array.byteLength);
  elements.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  if (!LITTLE_ENDIAN) swap(elements, array.BYTES_PER_ELEMENT);
  const bytes = new Uint8Array(1 + elements.length);
  bytes[0] = kind;
  bytes.set(elements, 1);
  return bytes;
}

/** @throws RangeError for an unknown kind or an incomplete element. */
export function decodeTypedArray(bytes: Uint8Array): TypedArray {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  if (kind === undefined) throw new RangeError('a typed array of unknown kind');
  const elements = new Uint8Array(bytes.length - 1);
  elements.set(bytes.subarray(1));
  if (elements.length % kind.BYTES_PER_ELEMENT !== 0) throw new RangeError('a typed array with a part of an element');
  if (!LITTLE_ENDIAN) swap(elements, kind.BYTES_PER_ELEMENT);
  return new kind(elements.buffer);
}
