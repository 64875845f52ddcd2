import { sparkline } from '../shared/chart.ts';
import { tableLines } from '../shared/table.ts';
import { paint, type Screen } from '../shared/terminal.ts';

interface Month {
  readonly days: number;
  readonly high: number;
  readonly low: number;
  readonly rain: number;
}

interface Alert {
  readonly kind: string;
  readonly date: string;
  readonly measured: number;
  readonly where: string;
}

/** Four years of months of each station, and the latest alerts. */
export function render(
  screen: Screen,
  months: ReadonlyMap<string, Month>,
  alerts: readonly (readonly [station: string, alert: Alert])[],
): string {
  const stations = [...new Set([...months.keys()].map((key) => key.slice(0, -8)))].sort();
  const curves = stations.flatMap((station) => {
    const ordered = [...months].filter(([key]) => key.startsWith(station)).sort(([a], [b]) => (a < b ? -1 : 1));
    const highs = ordered.map(([, month]) => month.high);
    const rain = ordered.map(([, month]) => month.rain);
    return [
      paint(screen, 'bold', station),
      `  mean high  ${sparkline(highs)}  ${Math.min(...highs).toFixed(0)} to ${Math.max(...highs).toFixed(0)} °C`,
      `  rain       ${sparkline(rain)}  ${Math.min(...rain).toFixed(0)} to ${Math.max(...rain).toFixed(0)} mm`,
    ];
  });
  const latest = [...alerts].sort(([, a], [, b]) => (a.date < b.date ? 1 : -1)).slice(0, 8);
  const table = tableLines(
    [{ title: 'date' }, { title: 'alert' }, { title: '', align: 'right' }, { title: 'where', max: screen.width - 32 }],
    latest.map(([, alert]) => [alert.date, alert.kind, alert.measured.toFixed(1), alert.where]),
  );
  return ['', ...curves, '', paint(screen, 'bold', `The latest of ${alerts.length} alerts`), ...table, ''].join('\n');
}
