import { posix } from 'node:path';
import { compositionRoots, type Room, rooms } from './rooms.ts';

/** An import that the table of rooms does not allow. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const isTest = (file: string): boolean => /\.(test|test-d|fixtures)\.ts$/.test(file);
const within = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

/** Specifiers of all imports, re-exports and dynamic imports of a source, with their lines. Comments do not count. */
export function importsOf(source: string): { specifier: string; line: number }[] {
  const blank = (comment: string): string => comment.replace(/[^\n]/g, ' ');
  const code = source.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, blank).replace(/^[ \t]*\/\/.*$/gm, blank);
  const pattern =
    /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3] ?? '',
    line: code.slice(0, match.index + match[0].length).split('\n').length,
  }));
}

function refusal(room: Room, from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) {
    const allowed = room.packages.some((name) =>
      name === 'node:' ? specifier.startsWith('node:') : within(specifier, name),
    );
    return allowed ? undefined : `${room.path} may not import the package ${specifier}`;
  }
  const target = posix.join(posix.dirname(from), specifier).replace(/\.ts$/, '');
  if (within(target, room.path)) return undefined;
  return room.rooms.some((place) => within(target, place)) ? undefined : `${room.path} may not import ${target}`;
}

/** Checks one file of `src`; `file` is its path in there, such as `operators/key-by.ts`. */
export function checkSource(file: string, source: string): Violation[] {
  const path = file.replace(/\.ts$/, '');
  if (isTest(file) || file.endsWith('.d.ts') || compositionRoots.includes(path)) return [];
  const room = rooms.find((candidate) => within(path, candidate.path));
  if (room === undefined) return [{ file, line: 1, text: 'belongs to no room: add it to scripts/rooms.ts' }];
  return importsOf(source).flatMap(({ specifier, line }) => {
    const text = refusal(room, file, specifier);
    return text === undefined ? [] : [{ file, line, text }];
  });
}

/** Checks one file of `examples`: what a user would write imports the package by its public names. */
export function checkExample(file: string, source: string): Violation[] {
  return importsOf(source).flatMap(({ specifier, line }) => {
    const outside =
      specifier.startsWith('.') && posix.normalize(posix.join(posix.dirname(file), specifier)).startsWith('..');
    if (outside) return [{ file, line, text: `examples import the package by name, not ${specifier}` }];
    if (/^(kafkajs|lmdb)(\/|$)/.test(specifier)) return [{ file, line, text: `examples do not import ${specifier}` }];
    return [];
  });
}
