import { useEffect, useState } from 'preact/hooks';
import type { About, ShownLetter } from '../../src/dashboard/live-data.ts';
import { clock } from '../format.ts';
import { ask } from '../live-store.ts';
import { Content, Panel, Table } from '../parts.tsx';

/** Records that failed and were put aside. */
export function LettersView({ about }: { readonly about: About }) {
  const [topic, setTopic] = useState(about.letterTopics[0] ?? '');
  const [letters, setLetters] = useState<readonly ShownLetter[]>();
  const [said, setSaid] = useState<string>();
  const load = async (): Promise<void> => {
    try {
      setLetters(await ask<readonly ShownLetter[]>(`/api/letters?${new URLSearchParams({ topic })}`));
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    if (topic !== '') void load();
  }, [topic]);
  if (about.letterTopics.length === 0) {
    return (
      <p class="empty">
        No topic has the policy <code>deadLetter(…)</code>: records that fail are skipped, or end the application.
      </p>
    );
  }
  const replay = async (letter: ShownLetter): Promise<void> => {
    const { offset, partition, replayed, topic } = letter;
    try {
      const done = await ask<{ readonly topic: string; readonly partition: number; readonly offset: number }>(
        '/api/replay',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-millrace-action': '1' },
          body: JSON.stringify({ topic, partition, offset, again: replayed.length > 0 }),
        },
      );
      setSaid(`replayed: it is at ${done.topic}/${done.partition}@${done.offset} now`);
      await load();
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Panel
      title="Dead letters"
      aside={
        <span class="hint">
          {about.acts ? 'replay writes the record to its topic again' : 'read-only: replay needs a token'}
        </span>
      }
    >
      <form class="ask" onSubmit={(event) => event.preventDefault()}>
        <label>
          topic{' '}
          <select value={topic} onChange={(event) => setTopic(event.currentTarget.value)}>
            {about.letterTopics.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => void load()}>
          refresh
        </button>
      </form>
      <p aria-live="polite" class="hint">
        {said}
      </p>
      <Table
        label="dead letters, newest first"
        empty={letters === undefined ? 'Reading…' : 'No dead letters.'}
        rows={letters ?? []}
        keyOf={({ offset, partition }) => `${partition}@${offset}`}
        columns={[
          { title: 'Failed at', cell: ({ timestamp }) => clock(timestamp) },
          {
            title: 'Why',
            cell: ({ code, message, step }) => (
              <>
                <strong>{code}</strong> in <code>{step}</code>
                <small>{message}</small>
              </>
            ),
          },
          {
            title: 'Was',
            cell: ({ origin }) =>
              origin === undefined ? 'a row' : `${origin.topic}/${origin.partition}@${origin.offset}`,
          },
          { title: 'Key', cell: ({ key }) => <code>{key}</code> },
          { title: 'Value', cell: (letter) => <Content {...letter} /> },
          {
            title: 'Replay',
            cell: (letter) =>
              letter.notReplayable === undefined ? (
                <>
                  <button type="button" disabled={!about.acts} onClick={() => void replay(letter)}>
                    {letter.replayed.length > 0 ? 'replay again' : 'replay'}
                  </button>
                  {letter.replayed.length > 0 && <small>replayed to {letter.replayed.join(', ')}</small>}
                </>
              ) : (
                <small>a letter {letter.notReplayable}</small>
              ),
          },
        ]}
      />
    </Panel>
  );
}
