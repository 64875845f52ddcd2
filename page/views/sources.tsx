import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Live, LivePoint, LiveSource } from '../../src/dashboard/live-data.ts';
import { Chart } from '../chart.tsx';
import { count, plural, rate, span, time } from '../format.ts';
import { Figure, Panel, Table } from '../parts.tsx';

interface Row {
  readonly partition: number;
  readonly position: number;
  readonly end: number | null;
  readonly lag: number | null;
  readonly lagMs: number | null;
  readonly perSecond: number;
  readonly streamTime: number | null;
}

/** Topics that are read, by partition. */
export function Sources({ history, live }: { readonly live: Live; readonly history: readonly LivePoint[] }) {
  if (live.sources.length === 0) return <p class="empty">This process has no task yet.</p>;
  return (
    <>
      <Panel title="Lag">
        <Chart
          title="Records waiting"
          history={history}
          format={rate}
          lines={[{ label: 'lag', colour: '--warn', value: ({ lag }) => lag }]}
        />
      </Panel>
      {live.sources.map((source) => (
        <Source key={source.topic} source={source} />
      ))}
    </>
  );
}

function Source({ source }: { readonly source: LiveSource }) {
  const [order, setOrder] = useState<'partition' | 'lag'>('partition');
  const rows = useMemo(() => {
    const all = source.partition.map(
      (partition, at): Row => ({
        partition,
        position: source.position[at] ?? 0,
        end: source.end[at] ?? null,
        lag: source.lag[at] ?? null,
        lagMs: source.lagMs[at] ?? null,
        perSecond: source.perSecond[at] ?? 0,
        streamTime: source.streamTime[at] ?? null,
      }),
    );
    return order === 'lag' ? all.sort((left, right) => (right.lag ?? 0) - (left.lag ?? 0)) : all;
  }, [source, order]);
  const lag = rows.reduce((sum, row) => sum + (row.lag ?? 0), 0);
  const behind = rows.reduce((high, row) => Math.max(high, row.lagMs ?? 0), 0);
  const perSecond = rows.reduce((sum, row) => sum + row.perSecond, 0);
  return (
    <Panel
      title={source.topic}
      aside={
        <label class="choice">
          sort by{' '}
          <select value={order} onChange={(event) => setOrder(event.currentTarget.value as 'partition' | 'lag')}>
            <option value="partition">partition</option>
            <option value="lag">lag</option>
          </select>
        </label>
      }
    >
      <dl class="figures">
        <Figure label="Partitions" value={count(rows.length)} />
        <Figure label="Records/s" value={rate(perSecond)} />
        <Figure label="Lag" value={count(lag)} />
        <Figure label="Largest delay" value={span(behind)} />
      </dl>
      {rows.length > 8 ? <Heat source={source} /> : null}
      <Table
        label={`partitions of ${source.topic}`}
        empty="no partitions"
        rows={rows}
        keyOf={({ partition }) => String(partition)}
        columns={[
          { title: 'Partition', number: true, cell: ({ partition }) => count(partition) },
          { title: 'Position', number: true, cell: ({ position }) => count(position) },
          { title: 'End', number: true, cell: ({ end }) => count(end) },
          { title: 'Lag', number: true, cell: (row) => count(row.lag) },
          { title: 'Behind', number: true, cell: ({ lagMs }) => span(lagMs) },
          { title: 'Records/s', number: true, cell: (row) => rate(row.perSecond) },
          { title: 'Stream time', cell: ({ streamTime }) => time(streamTime) },
        ]}
      />
    </Panel>
  );
}

const CELL = 11;

/** A square for each partition: the darker, the more waits there. */
function Heat({ source }: { readonly source: LiveSource }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const most = source.lag.reduce<number>((high, lag) => Math.max(high, lag ?? 0), 0);
  const waiting = source.lag.filter((lag) => lag !== null && lag > 0).length;
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element === null || context === null || context === undefined) return;
    const across = Math.max(1, Math.floor((element.parentElement?.clientWidth ?? 600) / CELL));
    const ratio = devicePixelRatio;
    element.width = across * CELL * ratio;
    element.height = Math.ceil(source.lag.length / across) * CELL * ratio;
    const style = getComputedStyle(document.documentElement);
    const [calm, hot] = [style.getPropertyValue('--calm'), style.getPropertyValue('--warn')];
    context.scale(ratio, ratio);
    element.style.width = `${across * CELL}px`;
    for (const [at, lag] of source.lag.entries()) {
      context.globalAlpha = 1;
      context.fillStyle = calm;
      const [x, y] = [(at % across) * CELL, Math.floor(at / across) * CELL];
      context.fillRect(x, y, CELL - 2, CELL - 2);
      if (lag === null || lag === 0) continue;
      context.globalAlpha = 0.25 + 0.75 * (lag / most);
      context.fillStyle = hot;
      context.fillRect(x, y, CELL - 2, CELL - 2);
    }
  }, [source, most]);
  return (
    <div class="heat">
      <canvas ref={canvas} role="img" aria-label={`${plural(waiting, 'partition')} of ${source.lag.length} have lag`} />
    </div>
  );
}
