import { type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request as it is given: its path and headers are not made better by anybody. */
export function ask(url: string, path: string, { body, headers = {}, method = 'GET' }: Ask = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: { connection: 'close', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Reads events of a stream until there is one of a kind that will do. */
export function nextEvent<T>(
  url: string,
  path: string,
  kind: string,
  wanted: (data: T) => boolean = () => true,
): Promise<T> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const messages = text.split('\n\n');
        text = messages.pop() ?? '';
        for (const message of messages) {
          const [, event, json] = /^event: (\S+)\ndata: (.*)$/.exec(message) ?? [];
          if (event !== kind) continue;
          const data = JSON.parse(json ?? 'null') as T;
          if (!wanted(data)) continue;
          sent.destroy();
          resolve(data);
          return;
        }
      });
      response.on('end', () => reject(new Error(`the stream has ended without ${kind}`)));
    });
    sent.on('error', reject);
    sent.end();
  });
}
