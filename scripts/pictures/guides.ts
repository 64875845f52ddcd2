import { joins } from './joins.ts';
import { pacing } from './pacing.ts';
import { draw, type Picture } from './picture.ts';
import { tables } from './tables.ts';
import { windows } from './windows.ts';

/** The pictures of each guide, by the file in `docs` and the name in its marker. */
export const guides: Readonly<Record<string, Readonly<Record<string, Picture>>>> = {
  'joins.md': joins,
  'pacing.md': pacing,
  'tables.md': tables,
  'windows.md': windows,
};

/**
 * Draws the pictures of a guide into its text, each behind its marker, `<!-- picture: NAME -->`.
 *
 * @throws Error for a marker without a picture, and for a picture without a marker.
 */
export function withPictures(guide: string, text: string): string {
  const pictures = guides[guide] ?? {};
  const missing = new Set(Object.keys(pictures));
  const drawn = text.replaceAll(
    /(<!-- picture: ([\w-]+) -->\n)(?:\n```text\n[^`]*```\n)?/g,
    (_, marker: string, name: string) => {
      const picture = pictures[name];
      if (picture === undefined) throw new Error(`docs/${guide} wants picture ${name}, which nobody draws`);
      missing.delete(name);
      return `${marker}\n\`\`\`text\n${draw(picture)}\n\`\`\`\n`;
    },
  );
  if (missing.size > 0) throw new Error(`docs/${guide} has no place for ${[...missing].join(', ')}`);
  return drawn;
}
