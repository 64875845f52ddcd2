import type { LiveEvent } from '../../src/dashboard/live-data.ts';
import { clock } from '../format.ts';
import { Panel, Table } from '../parts.tsx';

/** What the application has logged. */
export function Events({ events }: { readonly events: readonly LiveEvent[] }) {
  return (
    <Panel title="Events" aside={<span class="hint">what the application has logged, newest first</span>}>
      <Table
        label="events"
        empty="Nothing has been logged yet."
        rows={[...events].reverse()}
        keyOf={({ number }) => String(number)}
        columns={[
          { title: 'Time', cell: ({ time }) => clock(time) },
          { title: 'Level', cell: ({ level }) => <span class={`level is-${level}`}>{level}</span> },
          { title: 'Message', cell: ({ message }) => <span class="wrap">{message}</span> },
          {
            title: 'Fields',
            cell: ({ fields }) => (
              <small>
                {Object.entries(fields)
                  .filter(([name]) => name !== 'applicationId')
                  .map(([name, value]) => `${name}=${value}`)
                  .join('  ')}
              </small>
            ),
          },
        ]}
      />
    </Panel>
  );
}
