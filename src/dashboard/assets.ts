import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the page, as sent to browsers. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

/** All files of the page: a request path never names a file directly. */
const FILES = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

/** The project folder is two levels up, both from the sources and from the chunks of the build. */
const FOLDER = fileURLToPath(new URL('../../dist/dashboard/page/', import.meta.url));

const loaded = new Map<string, Asset>();

/** A file of the page; `undefined` if it does not exist or was not built. */
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
