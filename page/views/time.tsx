import type { Live } from '../../src/dashboard/live-data.ts';
import { count, plural, span, time } from '../format.ts';
import { Panel, Table } from '../parts.tsx';

/** Event time of each stage and step against the clock. */
export function Time({ live }: { readonly live: Live }) {
  const times = live.stages.flatMap(({ streamTimeFrom, streamTimeTo }) =>
    [streamTimeFrom ?? [], streamTimeTo ?? []].flat(),
  );
  const from = Math.min(...times);
  const to = Math.max(...times);
  const room = to - from || 1;
  return (
    <>
      <Panel title="Event time" aside={<span class="hint">UTC; the highest timestamp that tasks have read</span>}>
        {times.length === 0 ? (
          <p class="empty">No record was read yet.</p>
        ) : (
          <Table
            label="event time of the stages"
            empty="no stages"
            rows={live.stages}
            keyOf={({ name }) => name}
            columns={[
              { title: 'Stage', cell: ({ name }) => <code>{name}</code> },
              {
                title: 'Slowest to fastest task',
                cell: ({ streamTimeFrom, streamTimeTo }) =>
                  streamTimeFrom === undefined || streamTimeTo === undefined ? (
                    '–'
                  ) : (
                    <svg class="span" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">
                      <rect class="ground" width="200" height="10" rx="2" />
                      <rect
                        class="fill"
                        x={((streamTimeFrom - from) / room) * 194}
                        width={6 + ((streamTimeTo - streamTimeFrom) / room) * 194}
                        height="10"
                        rx="2"
                      />
                    </svg>
                  ),
              },
              { title: 'Slowest', cell: ({ streamTimeFrom }) => time(streamTimeFrom) },
              { title: 'Fastest', cell: ({ streamTimeTo }) => time(streamTimeTo) },
              {
                title: 'Behind the clock',
                number: true,
                cell: ({ streamTimeTo }) =>
                  streamTimeTo === undefined ? '–' : span(Math.max(0, live.now - streamTimeTo)),
              },
              { title: 'Open windows', number: true, cell: ({ openWindows }) => count(openWindows) },
            ]}
          />
        )}
      </Panel>
      <Panel title="Windows and stores">
        <Table
          label="stores"
          empty="The pipeline has no stores."
          rows={live.stores}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Store', cell: ({ name }) => <code>{name}</code> },
            { title: 'Open windows', number: true, cell: ({ openWindows }) => count(openWindows) },
            { title: 'First one ends', cell: ({ firstEnd }) => time(firstEnd) },
            {
              title: 'Stream time of the step',
              cell: ({ streamTimeFrom, streamTimeTo }) =>
                streamTimeFrom === streamTimeTo
                  ? time(streamTimeTo)
                  : `${time(streamTimeFrom)} to ${time(streamTimeTo)}`,
            },
            { title: 'Late', number: true, cell: ({ late }) => count(late) },
            { title: 'In memory', number: true, cell: ({ cached }) => count(cached) },
            { title: 'Not committed', number: true, cell: ({ dirty }) => count(dirty) },
            { title: 'Partitions here', number: true, cell: ({ partitions }) => count(partitions) },
          ]}
        />
      </Panel>
      {live.globals.length === 0 ? null : (
        <Panel title="Global tables">
          <ul>
            {live.globals.map(({ name, rows }) => (
              <li key={name}>
                <code>{name}</code>: {plural(rows, 'row')}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
