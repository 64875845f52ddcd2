import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { LivePoint } from '../src/dashboard/live-data.ts';

export interface Line {
  readonly label: string;
  /** Name of a colour variable of the page. */
  readonly colour: string;
  readonly value: (point: LivePoint) => number | null;
}

interface Props {
  readonly title: string;
  readonly history: readonly LivePoint[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly height?: number;
}

const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A series of the last quarter of an hour. What it shows is said in words too. */
export function Chart({ format, height = 132, history, lines, title }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const data = [
    history.map(({ at }) => at / 1000),
    ...lines.map(({ value }) => history.map(value)),
  ] as uPlot.AlignedData;
  useEffect(() => {
    const parent = box.current;
    if (parent === null) return undefined;
    const axis = { stroke: colourOf('--dim'), grid: { stroke: colourOf('--line'), width: 1 }, ticks: { show: false } };
    const make = (): uPlot =>
      new uPlot(
        {
          width: Math.max(200, parent.clientWidth),
          height,
          legend: { show: false },
          cursor: { y: false, points: { size: 6 } },
          scales: { y: { range: (_, __, top) => [0, Math.max(1, (top ?? 0) * 1.1)] } },
          axes: [
            { ...axis, font: '11px system-ui', space: 70 },
            {
              ...axis,
              font: '11px system-ui',
              size: 58,
              space: 30,
              values: (_, values) => values.map((value) => format(value)),
            },
          ],
          series: [
            {},
            ...lines.map(({ colour, label }, at) => ({
              label,
              stroke: colourOf(colour),
              width: 1.6,
              points: { show: false },
              spanGaps: true,
              ...(at === 0 ? { fill: `${colourOf(colour)}22` } : {}),
            })),
          ],
        },
        data,
        parent,
      );
    plot.current = make();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: Math.max(200, parent.clientWidth), height }),
    );
    resized.observe(parent);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const anew = (): void => {
      plot.current?.destroy();
      plot.current = make();
    };
    dark.addEventListener('change', anew);
    document.addEventListener('themechange', anew);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', anew);
      document.removeEventListener('themechange', anew);
      plot.current?.destroy();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useEffect(() => plot.current?.setData(data), [history]);
  const last = history.at(-1);
  const now = lines.map(({ label, value }) => {
    const number = last === undefined ? null : value(last);
    return `${label} ${number === null ? '–' : format(number)}`;
  });
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        {lines.map(({ colour, label }, at) => (
          <span key={label} class="now" style={{ '--c': `var(${colour})` }}>
            {now[at]}
          </span>
        ))}
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title}, last quarter of an hour; now ${now.join(', ')}`} />
    </figure>
  );
}

/** A small line without axes. */
export function Spark({ label, values }: { readonly label: string; readonly values: readonly number[] }) {
  const top = values.reduce((high, value) => Math.max(high, value), 1);
  const step = 100 / Math.max(1, values.length - 1);
  const points = values
    .map((value, at) => `${(at * step).toFixed(1)},${(22 - (20 * value) / top).toFixed(1)}`)
    .join(' ');
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points} />
    </svg>
  );
}
