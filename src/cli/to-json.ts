/** JSON of values that JSON knows nothing of: whole numbers beyond its own as text, bytes in base64, maps as objects. */
export function toJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return String(each);
    if (each instanceof Uint8Array) return Buffer.from(each).toString('base64');
    if (each instanceof Map)
      return Object.fromEntries([...each].map(([name, held]) => [String(name), held as unknown]));
    return each;
  });
}
