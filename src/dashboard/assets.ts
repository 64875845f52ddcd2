import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the page as it is sent. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

/** Everything the page consists of: no path of a request ever names a file. */
const FILES = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

/** Both of the sources and of the chunks of the build the folder is two above. */
const FOLDER = fileURLToPath(new URL('../../dist/dashboard/page/', import.meta.url));

const loaded = new Map<string, Asset>();

/** A file of the page; `undefined` when there is no such one, or it was not built. */
export function assetAt(path: string): Asset | undefined {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  if (!Object.hasOwn(FILES, path)) return undefined;
  const [file, type] = FILES[path as keyof typeof FILES];
  try {
    const body = readFileSync(`${FOLDER}${file}`);
    const asset = { type, body, gzipped: gzipSync(body) };
    loaded.set(path, asset);
    return asset;
  } catch {
    return undefined;
  }
}
