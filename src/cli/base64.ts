/** Bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Decodes base64, with or without `=` at the end; `undefined` for any other text. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  // Node ignores invalid characters, so accept only text that encodes back to itself.
  const written = toBase64(bytes);
  return text === written || text === written.replace(/=+$/, '') ? bytes : undefined;
}
