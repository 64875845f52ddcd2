import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCase } from '../../scripts/conformance/check-case.ts';
import { difference } from '../../scripts/conformance/compare.ts';
import { type DiskStores, openDiskStores } from '../../scripts/conformance/disk-stores.ts';
import { subjectOf } from '../../scripts/conformance/families.ts';
import { type Mode, modes } from '../../scripts/conformance/modes.ts';
import { readVectors } from '../../scripts/conformance/read-vectors.ts';
import { failures } from '../../scripts/conformance/report.ts';

const files = readVectors(fileURLToPath(new URL('../vectors', import.meta.url)));
const IMPLEMENTED = [
  'aggregate',
  'hopping',
  'repartition-chain',
  'self-join',
  'stateless',
  'stream-global-join',
  'stream-stream-join',
  'stream-table-asof',
  'stream-table-join',
  'suppress',
  'table-ops',
  'tumbling',
  'window-final',
];

let disk: DiskStores;
let all: readonly Mode[];
beforeAll(async () => {
  disk = await openDiskStores();
  all = modes(disk.stores);
});
afterAll(() => disk[Symbol.asyncDispose]());

test('every file of vectors can be read', () => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => 'problem' in file)).toEqual([]);
});

describe.each(IMPLEMENTED)('%s', (family) => {
  const cases = files.flatMap((file) =>
    'vectors' in file && file.vectors.family === family ? file.vectors.cases : [],
  );

  test('the operators give the recorded rows, or where tagged those of our rules, in every mode', () => {
    const verdicts = cases.map((entry) => ({ name: entry.name, verdict: checkCase(family, entry, all) }));
    expect(verdicts.filter(({ verdict }) => verdict.kind !== 'not implemented').length).toBeGreaterThan(25);
    expect(failures([{ family, verdicts }]).join('\n')).toBe('');
  });

  test('the model gives the recorded rows of every case without a tag', () => {
    const wrong = cases.flatMap((entry) => {
      if (entry.tags !== undefined || (family === 'window-final' && !isAligned(entry.params['window']))) return [];
      const {
        dropped = 0,
        steps,
        store,
      } = subjectOf(family, entry).model(
        entry.params,
        entry.steps.map((step) => step.in),
      );
      // Of a record that makes the step throw there are no rows: the model knows nothing of limits that stop it.
      const taken = entry.steps.filter(({ error }) => error === undefined);
      const groups = taken.map((step, at) => ({ steps: [step], rows: steps[at] ?? [] }));
      const recorded = {
        steps: taken.map(({ out }) => out),
        ...(entry.dropped === undefined ? {} : { dropped: entry.dropped }),
        ...(entry.store === undefined ? {} : { store: entry.store }),
      };
      const lines = difference(recorded, { groups, dropped, store });
      return lines === undefined ? [] : [entry.name, ...lines];
    });
    expect(wrong.join('\n')).toBe('');
  });
});

function isAligned(window: unknown): boolean {
  return window === 'tumbling' || window === 'hopping';
}
