import { bar, heat, heatScale, sparkline } from '../shared/chart.ts';
import { tableLines } from '../shared/table.ts';
import { grouped, paint, type Screen } from '../shared/terminal.ts';
import { score } from './standings.ts';
import { meanDelay, type Summary } from './summary.ts';

const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

function longDate(day: string): string {
  const options = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return new Date(`${day}T00:00Z`).toLocaleDateString('en-GB', options);
}

function shortDate(day: string): string {
  return new Date(`${day}T00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** The ten worst airports of one day, with bars. */
function worstTable(screen: Screen, summary: Summary, day: string): string[] {
  const worst = summary.worst.get(day) ?? [];
  const highest = Math.max(1, ...worst.map(score));
  const rows = worst.map((airport, i) => [
    `${i + 1}`,
    airport.airport,
    `${airport.name}, ${airport.city}${airport.city.includes(',') ? '' : ` ${airport.state}`}`,
    grouped(airport.flights),
    (airport.minutes / airport.flights).toFixed(1),
    `${airport.worst}`,
  ]);
  const lines = tableLines(
    [
      { title: '#', align: 'right' },
      { title: '' },
      { title: 'airport', max: screen.width >= 90 ? 36 : 18 },
      { title: 'flights', align: 'right' },
      { title: 'mean', align: 'right' },
      { title: 'worst', align: 'right' },
    ],
    rows,
  );
  const [head = '', ...body] = lines;
  const widest = Math.max(...lines.map((line) => line.length));
  const room = Math.max(6, Math.min(30, screen.width - widest - 3));
  return [
    paint(screen, 'dim', head),
    ...body.map((line, i) => {
      const share = score(worst[i] ?? { minutes: 0, flights: 0 }) / highest;
      return `${line.padEnd(widest)}  ${paint(screen, 'red', bar(share, room))}`;
    }),
  ];
}

/**
 * Mean delay by weekday and hour of the day. Shades follow the rank of a cell, not its minutes: the few flights around
 * midnight are so late that all other hours would look alike.
 */
function weekChart(screen: Screen, summary: Summary): string[] {
  const cell = screen.width >= 84 ? 3 : screen.width >= 58 ? 2 : 1;
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const ranked = [...summary.week].sort(([, a], [, b]) => meanDelay(a) - meanDelay(b));
  const shares = new Map(ranked.map(([key], rank) => [key, (rank + 0.5) / ranked.length]));
  const label = (hour: number): string => (hour % (cell === 3 ? 1 : 6) === 0 ? `${hour}` : '').padEnd(cell);
  const [calm, alarming] = [ranked[0]?.[1], ranked.at(-1)?.[1]].map((counts) => meanDelay(counts).toFixed(0));
  return [
    paint(screen, 'dim', `     ${cell > 1 ? hours.map(label).join('') : '0     6     12    18'}`),
    ...WEEK.map((weekday) => {
      const cells = hours.map((hour) => {
        const share = shares.get(`${weekday} ${hour}`);
        return share === undefined ? '·'.padEnd(cell) : heat(screen, share, cell);
      });
      return `${WEEKDAYS[weekday]}  ${cells.join('')}`;
    }),
    `     ${calm} ${heatScale(screen)} ${alarming} minutes`,
  ];
}

/** Mean delay of every day, one column each, the worst one marked. */
function dayChart(screen: Screen, summary: Summary, worstDay: string): string[] {
  const days = [...summary.days.keys()].sort();
  const drawn = sparkline(days.map((day) => meanDelay(summary.days.get(day))));
  const rows = Math.ceil(days.length / (screen.width - 5));
  const width = Math.ceil(days.length / rows);
  const lines: string[] = [];
  for (let at = 0; at < days.length; at += width) {
    const shown = days.slice(at, at + width);
    const legend = shown.reduce((line, day, i) => {
      return i === 0 || (day.endsWith('-01') && line.length < i) ? line.padEnd(i) + shortDate(day) : line;
    }, '');
    const columns = Array.from(drawn.slice(at, at + width), (column, i) => {
      return shown[i] === worstDay ? paint(screen, 'red', column) : column;
    });
    lines.push(`     ${columns.join('')}`, paint(screen, 'dim', `     ${legend}`));
  }
  return lines;
}

/** The whole picture. */
export function render(screen: Screen, summary: Summary): string {
  const worstDay = summary.worstDay() ?? '';
  const counts = summary.days.get(worstDay);
  const title = (text: string): string => paint(screen, 'bold', text);
  const delays = `${meanDelay(counts).toFixed(1)} minutes over ${grouped(counts?.flights ?? 0)} flights`;
  return [
    '',
    title(`The worst day: ${longDate(worstDay)}, mean delay ${delays}`),
    ...worstTable(screen, summary, worstDay),
    paint(screen, 'dim', 'minutes; ordered by mean delay as if ten more flights had been on time'),
    '',
    title('Mean delay by weekday and scheduled hour'),
    ...weekChart(screen, summary),
    '',
    title('Mean delay of each day'),
    ...dayChart(screen, summary, worstDay),
    '',
  ].join('\n');
}
