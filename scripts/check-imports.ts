/** Holds the import directions of scripts/rooms.ts, and that time comes from clocks. With `--draw` it draws them into CONTRIBUTING.md. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkExample, checkSource, type Violation } from './imports.ts';
import { rawTime } from './raw-time.ts';
import { drawRooms } from './rooms.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function check(folder: string, one: (file: string, source: string) => Violation[]): number {
  if (!existsSync(`${root}${folder}`)) return 0;
  const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts'));
  for (const file of files) {
    for (const { line, text } of one(file, readFileSync(`${root}${folder}/${file}`, 'utf8'))) {
      console.error(`${folder}/${file}:${line} ${text}`);
      process.exitCode = 1;
    }
  }
  return files.length;
}

if (process.argv.includes('--draw')) {
  const guide = `${root}CONTRIBUTING.md`;
  const graph = `\`\`\`mermaid\n${drawRooms()}\n\`\`\``;
  writeFileSync(
    guide,
    readFileSync(guide, 'utf8').replace(/```mermaid\n[\s\S]*?\n```/, () => graph),
  );
} else {
  const files =
    check('src', (file, source) => [...checkSource(file, source), ...rawTime(file, source)]) +
    check('examples', checkExample);
  if (process.exitCode === undefined) console.log(`imports of ${files} files follow scripts/rooms.ts`);
}
