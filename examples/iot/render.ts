import { sparkline } from '../shared/chart.ts';
import { tableLines } from '../shared/table.ts';
import { clockTime, paint, type Screen } from '../shared/terminal.ts';

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

/** What happened in each cold room. */
export function renderRooms(
  screen: Screen,
  outages: readonly (readonly [key: string, outage: { readonly since: number; readonly back: number | null }])[],
  rises: readonly (readonly [key: string, rise: { readonly from: number; readonly perMinute: number }])[],
): string {
  const rooms = new Map<string, { silent: number; longest: number; rises: number; steepest: number; at: number }>();
  const room = (key: string) => {
    const name = key.split(' ')[0] ?? '';
    const row = rooms.get(name) ?? { silent: 0, longest: 0, rises: 0, steepest: 0, at: 0 };
    rooms.set(name, row);
    return row;
  };
  for (const [key, { back, since }] of outages) {
    if (back === null) continue;
    const row = room(key);
    row.silent += 1;
    row.longest = Math.max(row.longest, back - since);
  }
  for (const [key, { from, perMinute }] of rises) {
    const row = room(key);
    row.rises += 1;
    if (perMinute <= row.steepest) continue;
    row.steepest = perMinute;
    row.at = from;
  }
  const title = (text: string) => ({ title: text, align: 'right' }) as const;
  const table = tableLines(
    [{ title: '' }, title('gaps'), title('longest'), title('readings'), title('steepest'), title('at')],
    [...rooms]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { at, longest, rises: count, silent, steepest }]) => [
        name,
        `${silent}`,
        silent === 0 ? '' : `${(longest / 1_000).toFixed(0)} s`,
        `${count}`,
        count === 0 ? '' : `${steepest.toFixed(1)} °C/min`,
        count === 0 ? '' : clockTime(at).slice(-5),
      ]),
  );
  const heading = paint(
    screen,
    'bold',
    'Cold rooms: gaps of thirty seconds, and readings that rise by 1.5 °C a minute',
  );
  return [heading, ...table, ''].join('\n');
}
