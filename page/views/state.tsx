import { useState } from 'preact/hooks';
import type { About, ShownRow, StateAnswer } from '../../src/dashboard/live-data.ts';
import { plural, time } from '../format.ts';
import { ask } from '../live-store.ts';
import { Panel, Table, Window } from '../parts.tsx';

/** Looks up keys in stores. */
export function StateView({ about, chosen }: { readonly about: About; readonly chosen: string | undefined }) {
  const [store, setStore] = useState(chosen ?? about.stores[0]?.name ?? '');
  const [key, setKey] = useState('');
  const [prefix, setPrefix] = useState(false);
  const [answer, setAnswer] = useState<StateAnswer>();
  const [problem, setProblem] = useState<string>();
  const [asked, setAsked] = useState('');
  if (about.stores.length === 0) return <p class="empty">The pipeline has no stores.</p>;
  const look = async (event: Event): Promise<void> => {
    event.preventDefault();
    const query = new URLSearchParams({ store, key, prefix: prefix ? '1' : '0' });
    try {
      setAnswer(await ask<StateAnswer>(`/api/state?${query}`));
      setProblem(undefined);
      setAsked(key);
    } catch (error) {
      setAnswer(undefined);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Panel title="State" aside={<span class="hint">current state, including uncommitted changes</span>}>
      <form class="ask" onSubmit={(event) => void look(event)}>
        <label>
          store{' '}
          <select value={store} onChange={(event) => setStore(event.currentTarget.value)}>
            {about.stores.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          key{' '}
          <input
            type="search"
            value={key}
            placeholder="all entries"
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <label>
          <input type="checkbox" checked={prefix} onChange={(event) => setPrefix(event.currentTarget.checked)} /> begins
          with
        </label>
        <button type="submit" class="primary">
          look up
        </button>
      </form>
      <div aria-live="polite">
        {problem === undefined ? null : <p class="problem">{problem}</p>}
        {answer?.note === undefined ? null : <p class="hint">{answer.note}</p>}
        {answer === undefined ? null : (
          <>
            <p class="hint" hidden={answer.rows.length === 0}>
              {answer.more ? 'the first ' : ''}
              {plural(answer.rows.length, 'entry').replace('entrys', 'entries')}
            </p>
            <Table<ShownRow & { readonly at: number }>
              label="entries"
              empty={asked === '' ? 'The store is empty.' : `Nothing is stored for ${asked} here.`}
              rows={answer.rows.map((row, at) => ({ ...row, at }))}
              keyOf={({ at }) => String(at)}
              columns={[
                { title: 'Key', cell: (row) => <code>{row.key}</code> },
                { title: 'Window (UTC)', cell: ({ window }) => <Window window={window} /> },
                { title: 'Value', cell: ({ value }) => <code class="long">{value}</code> },
                { title: 'Time (UTC)', cell: ({ timestamp }) => time(timestamp) },
              ]}
            />
          </>
        )}
      </div>
    </Panel>
  );
}
