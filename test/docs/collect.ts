import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Extracted, ofMarkdown, ofSource } from './programs.ts';

/** Root of the project, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

function filesUnder(folder: string): string[] {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .toSorted();
}

export const read = (document: string): string => readFileSync(root + document, 'utf8');

/** Every document whose text must hold: README, CONTRIBUTING, and what lies in `docs` and `examples`. */
export function documents(): string[] {
  return [
    'README.md',
    'CONTRIBUTING.md',
    ...[...filesUnder('docs'), ...filesUnder('examples')].filter((name) => name.endsWith('.md')),
  ];
}

/** The programs of all documents and of all `@example` blocks. */
export function extractAll(): Extracted {
  const all: Extracted = { programs: [], complaints: [] };
  for (const document of documents()) {
    if (existsSync(root + document)) ofMarkdown(document, read(document), all);
  }
  for (const source of filesUnder('src').filter(
    (name) => name.endsWith('.ts') && !/\.(test|test-d|fixtures)\.ts$/.test(name),
  )) {
    ofSource(source, read(source), all);
  }
  return all;
}
