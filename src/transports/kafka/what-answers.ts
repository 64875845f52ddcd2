/** What the first bytes of an answer look like when it cannot be Kafka's. */
export interface Speaker {
  /** The protocol, where it can be told. */
  readonly protocol: 'HTTP' | 'TLS' | 'SSH' | 'telnet' | 'text' | undefined;
  /** In words, for the message of an error. */
  readonly says: string;
}

export const NOT_KAFKA: Speaker = { protocol: undefined, says: 'speaks something else' };

const SHOWN_BYTES = 40;

/** Tells by the first bytes who answers; they have been found to be no frame. */
export function whatAnswers(first: Uint8Array): Speaker {
  const [a = 0, b = 0] = first;
  if (a >= 0x14 && a <= 0x17 && b === 3) return { protocol: 'TLS', says: 'speaks TLS' };
  // A telnet server begins to negotiate options: "interpret as command", then will, won't, do or don't.
  if (a === 0xff && b >= 0xfb && b <= 0xfe) return { protocol: 'telnet', says: 'speaks telnet' };
  const text = printable(first);
  if (text.startsWith('HTTP') || /^<(!doctype|html)/i.test(text)) return { protocol: 'HTTP', says: 'speaks HTTP' };
  if (text.startsWith('SSH-')) return { protocol: 'SSH', says: 'speaks SSH' };
  if (text.length >= 4) return { protocol: 'text', says: `answers with text, ${JSON.stringify(text)}` };
  return NOT_KAFKA;
}

/** The text that bytes begin with, up to the first one that no text has. */
function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, SHOWN_BYTES)) {
    if ((byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) || byte > 0x7e) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
