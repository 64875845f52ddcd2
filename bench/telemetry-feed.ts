import { connect, type Headers, int32, string, topic } from 'millrace';

export const PARTITIONS = 4;

/** What one process reads that another one publishes. */
export const numbers = topic('numbers', { key: string(), value: int32(), partitions: PARTITIONS });

/**
 * Which records carry the header `traceparent`: `none`, one in a hundred, or all of them; with `other` all have another header.
 */
export type Traced = 'none' | 'other' | 'some' | 'all';

/** The first message to this process. Each further one makes it publish that many records. */
export interface Feed {
  readonly path: string;
  readonly traced: Traced;
}

const header = (name: string, text: string): Headers => [[name, new TextEncoder().encode(text)]];
const TRACE = header('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
const OTHER = header('content-type', 'application/octet-stream');

function headersOf(traced: Traced, n: number): { readonly headers?: Headers } {
  if (traced === 'all' || (traced === 'some' && n % 100 === 0)) return { headers: TRACE };
  return traced === 'other' ? { headers: OTHER } : {};
}

// Only in a process of its own.
process.once('message', (feed: Feed) => void publishTo(feed));

async function publishTo({ path, traced }: Feed): Promise<void> {
  const client = connect({ path });
  const publish = async (amount: number): Promise<void> => {
    const timestamp = Date.now();
    const records = Array.from({ length: amount }, (_, n) => {
      return { key: `k${n % 1000}`, value: n, timestamp, ...headersOf(traced, n) };
    });
    await (await client).publishAll(numbers, records);
  };
  process.on('message', (amount: number) => void publish(amount));
  process.once('disconnect', () => void client.then((opened) => opened.close()));
}
