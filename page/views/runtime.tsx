import type { Live, LivePoint, LiveTiming } from '../../src/dashboard/live-data.ts';
import { Chart } from '../chart.tsx';
import { bytes, count, rate, span } from '../format.ts';
import { Figure, Panel, Table } from '../parts.tsx';

/** How the process does. */
export function Runtime({ history, live }: { readonly live: Live; readonly history: readonly LivePoint[] }) {
  const { app, process, timings } = live;
  const rows: readonly (LiveTiming & { readonly name: string })[] = [
    { name: 'timestamp to commit', ...timings.recordToCommit },
    { name: 'commit', ...timings.commits },
    { name: 'work without a break', ...timings.turns },
    { name: 'fetch from the log', ...timings.fetches },
  ];
  return (
    <>
      <div class="charts">
        <Panel title="Records">
          <Chart
            title="per second"
            history={history}
            format={rate}
            lines={[
              { label: 'read', colour: '--flow', value: ({ inPerSecond }) => inPerSecond },
              { label: 'written', colour: '--good', value: ({ outPerSecond }) => outPerSecond },
            ]}
          />
        </Panel>
        <Panel title="Commits">
          <Chart
            title="duration"
            history={history}
            format={span}
            lines={[{ label: 'commit', colour: '--flow', value: ({ commitMs }) => commitMs }]}
          />
        </Panel>
        <Panel title="Event loop">
          <Chart
            title="delay, p99"
            history={history}
            format={span}
            lines={[{ label: 'delay', colour: '--warn', value: ({ loopDelayMs }) => loopDelayMs }]}
          />
        </Panel>
        <Panel title="Heap">
          <Chart
            title="in use"
            history={history}
            format={(value) => `${Math.round(value)} MiB`}
            lines={[{ label: 'heap', colour: '--good', value: ({ heapMb }) => heapMb }]}
          />
        </Panel>
      </div>
      <Panel title="Durations">
        <Table
          label="durations"
          empty=""
          rows={rows}
          keyOf={({ name }) => name}
          columns={[
            { title: 'What', cell: ({ name }) => name },
            { title: 'How often', number: true, cell: (row) => count(row.count) },
            { title: 'p50', number: true, cell: ({ p50Ms }) => span(p50Ms) },
            { title: 'p99', number: true, cell: ({ p99Ms }) => span(p99Ms) },
            { title: 'Longest', number: true, cell: ({ count, maxMs }) => (count === 0 ? '–' : span(maxMs)) },
          ]}
        />
      </Panel>
      <Panel title="Process">
        <dl class="figures">
          <Figure label="Uptime" value={span(app.uptimeMs)} />
          <Figure label="Rebuilds" value={count(app.restarts)} tone={app.restarts > 0 ? 'bad' : ''} />
          {process === undefined ? null : (
            <>
              <Figure label="Heap" value={bytes(process.heapUsedBytes)} note={`of ${bytes(process.heapTotalBytes)}`} />
              <Figure label="Resident" value={bytes(process.residentBytes)} />
              <Figure
                label="Loop delay p99"
                value={span(process.loopDelayP99Ms)}
                note={`max ${span(process.loopDelayMaxMs)}`}
              />
              <Figure label="Collections" value={count(process.gcCount)} note={`${span(process.gcMs)} in total`} />
            </>
          )}
        </dl>
      </Panel>
    </>
  );
}
