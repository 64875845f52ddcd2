/** Holds the pictures in the guides, which running operators draw; with `--write` it writes them there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { guides, withPictures } from './pictures/guides.ts';

for (const guide of Object.keys(guides)) {
  const file = new URL(`../docs/${guide}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const wanted = withPictures(guide, text);
  if (process.argv.includes('--write')) writeFileSync(file, wanted);
  else if (wanted !== text) {
    console.error(`the pictures in docs/${guide} are not what operators do: npx tsx scripts/pictures.ts --write`);
    process.exitCode = 1;
  }
}
