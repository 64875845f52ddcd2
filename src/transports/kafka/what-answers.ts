/** What the first bytes of a non-Kafka response look like. */
export interface Speaker {
  /** The protocol, if recognised. */
  readonly protocol: 'HTTP' | 'TLS' | 'SSH' | 'telnet' | 'text' | undefined;
  /** A description for error messages. */
  readonly says: string;
}

export const NOT_KAFKA: Speaker = { protocol: undefined, says: 'speaks something else' };

const SHOWN_BYTES = 40;

/** Recognises what has answered by the first bytes, which are known not to be a Kafka frame. */
export function whatAnswers(first: Uint8Array): Speaker {
  const [a = 0, b = 0] = first;
  if (a >= 0x14 && a <= 0x17 && b === 3) return { protocol: 'TLS', says: 'speaks TLS' };
  // A telnet server starts by negotiating options: "interpret as command", then will, won't, do or don't.
  if (a === 0xff && b >= 0xfb && b <= 0xfe) return { protocol: 'telnet', says: 'speaks telnet' };
  const text = printable(first);
  if (text.startsWith('HTTP') || /^<(!doctype|html)/i.test(text)) return { protocol: 'HTTP', says: 'speaks HTTP' };
  if (text.startsWith('SSH-')) return { protocol: 'SSH', says: 'speaks SSH' };
  if (text.length >= 4) return { protocol: 'text', says: `answers with text, ${JSON.stringify(text)}` };
  return NOT_KAFKA;
}

/** The text at the start of bytes, up to the first non-text byte. */
function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, SHOWN_BYTES)) {
    if ((byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) || byte > 0x7e) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
