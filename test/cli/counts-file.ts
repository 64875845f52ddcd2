import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes `counts.ts`: the clicks of each key, with a dead-letter topic. */
export function writeCounts(folder: string): void {
  writeFileSync(
    join(folder, 'counts.ts'),
    `import { agg, aggregate, deadLetter, json, string, to, topic } from 'millrace';
     const clicks = topic('clicks', { key: string(), value: json<{ page: string }>() });
     export const options = { onRecordError: deadLetter('bad') };
     export default clicks.pipe(
       aggregate({ clicks: agg.count() }, { store: 'counts' }),
       to(topic('totals', { key: string(), value: json<unknown>() })),
     );`,
  );
}
