import type { HistogramValue, Metric, MetricSample } from './metric.ts';

/**
 * Formats metrics in the Prometheus text format (version 0.0.4), for your own endpoint.
 *
 * @example
 * ```ts
 * import { prometheusText } from 'millrace';
 *
 * const samples = [{ labels: { step: 'a "b"' }, value: 2 }];
 * console.log(prometheusText([{ name: 'steps_total', help: 'Steps.', type: 'counter', samples }]));
 * // => # HELP steps_total Steps.
 * // => # TYPE steps_total counter
 * // => steps_total{step="a \"b\""} 2
 * // =>
 * ```
 * @public
 */
export function prometheusText(metrics: readonly Metric[]): string {
  const lines: string[] = [];
  for (const { help, name, samples, type } of metrics) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`);
    for (const sample of samples) addSample(lines, name, sample);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function addSample(lines: string[], name: string, { labels, value }: MetricSample): void {
  if (typeof value === 'number') lines.push(`${name}${labelText(labels)} ${numberText(value)}`);
  else addHistogram(lines, name, labels, value);
}

function addHistogram(
  lines: string[],
  name: string,
  labels: MetricSample['labels'],
  { buckets, count, sum }: HistogramValue,
): void {
  for (const bucket of buckets) {
    lines.push(`${name}_bucket${labelText({ ...labels, le: numberText(bucket.upTo) })} ${bucket.count}`);
  }
  lines.push(
    `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_sum${labelText(labels)} ${numberText(sum)}`,
    `${name}_count${labelText(labels)} ${count}`,
  );
}

function labelText(labels: MetricSample['labels']): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
