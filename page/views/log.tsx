import { useEffect, useState } from 'preact/hooks';
import type { About, LogOverview } from '../../src/dashboard/live-data.ts';
import { count } from '../format.ts';
import { ask } from '../live-store.ts';
import { Panel, State, Table } from '../parts.tsx';

const EVERY_MS = 3000;

/** A log from outside: what can be known of applications that run elsewhere. */
export function LogView({ about }: { readonly about: About }) {
  const [log, setLog] = useState<LogOverview>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const load = async (): Promise<void> => {
      try {
        setLog(await ask<LogOverview>('/api/log'));
        setProblem(undefined);
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
      if (!over) timer = setTimeout(() => void load(), EVERY_MS);
    };
    void load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  const reads = (log?.groups ?? []).flatMap((group) => group.topics.map((topic) => ({ ...topic, group })));
  return (
    <>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <Panel title="Groups and applications" aside={<span class="hint">{about.location}</span>}>
        <Table
          label="groups"
          empty={log === undefined ? 'Reading…' : 'No group has committed anything.'}
          rows={reads}
          keyOf={({ group, topic }) => `${group.name} ${topic}`}
          columns={[
            { title: 'Group', cell: ({ group }) => <code>{group.name}</code> },
            { title: 'State', cell: ({ group }) => <State state={group.active ? 'running' : 'idle'} /> },
            { title: 'Topic', cell: ({ topic }) => <code>{topic}</code> },
            { title: 'Partitions', number: true, cell: ({ partitions }) => count(partitions) },
            { title: 'Lag', number: true, cell: ({ lag }) => count(lag) },
          ]}
        />
      </Panel>
      <Panel title="Topics">
        <Table
          label="topics"
          empty={log === undefined ? 'Reading…' : 'There are no topics.'}
          rows={log?.topics ?? []}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Topic', cell: ({ name }) => <code>{name}</code> },
            { title: 'Partitions', number: true, cell: ({ partitions }) => count(partitions) },
            { title: 'Offsets kept', number: true, cell: ({ records }) => count(records) },
          ]}
        />
      </Panel>
    </>
  );
}
