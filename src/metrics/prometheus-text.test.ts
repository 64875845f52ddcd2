import { expect, it } from 'vitest';
import type { Metric } from './metric.ts';
import { prometheusText } from './prometheus-text.ts';

const metric = (part: Partial<Metric>): Metric => ({ name: 'm', help: 'H.', type: 'gauge', samples: [], ...part });

it('writes a line for each value, with labels escaped', () => {
  const samples = [
    { labels: {}, value: 1.5 },
    { labels: { a: 'x\\y', b: 'say "hi"\nthere' }, value: Number.POSITIVE_INFINITY },
    { labels: {}, value: Number.NaN },
  ];
  expect(prometheusText([metric({ help: 'One\\two\nthree', samples })])).toBe(
    '# HELP m One\\\\two\\nthree\n# TYPE m gauge\nm 1.5\nm{a="x\\\\y",b="say \\"hi\\"\\nthere"} +Inf\nm NaN\n',
  );
});

it('writes histograms with cumulative buckets, the last of which holds all', () => {
  const value = {
    count: 3,
    sum: 7.5,
    buckets: [
      { upTo: 0.1, count: 1 },
      { upTo: 5, count: 2 },
    ],
  };
  expect(prometheusText([metric({ type: 'histogram', samples: [{ labels: { x: 'y' }, value }] })]).split('\n')).toEqual(
    [
      '# HELP m H.',
      '# TYPE m histogram',
      'm_bucket{x="y",le="0.1"} 1',
      'm_bucket{x="y",le="5"} 2',
      'm_bucket{x="y",le="+Inf"} 3',
      'm_sum{x="y"} 7.5',
      'm_count{x="y"} 3',
      '',
    ],
  );
});

it('leaves out a metric that has no value now', () => {
  expect(prometheusText([metric({})])).toBe('');
});
