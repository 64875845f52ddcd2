import { useEffect, useState } from 'preact/hooks';
import type { Live, ShownRecord } from '../../src/dashboard/live-data.ts';
import { time } from '../format.ts';
import { Content, Panel, Table } from '../parts.tsx';

const MAX_RECORDS = 100;

/** Records as they come to a step. Nothing is looked at before somebody asks. */
export function Peek({ chosen, live }: { readonly live: Live; readonly chosen: string | undefined }) {
  const places = live.steps.flatMap((step) =>
    step.inputs.map((input, at) => {
      const from = live.steps.find(({ id }) => id === input.from)?.step;
      return { id: `${step.id}/${at}`, text: from === undefined ? `to ${step.step}` : `${from} → ${step.step}` };
    }),
  );
  const [place, setPlace] = useState(() => {
    if (chosen !== undefined) return `${chosen}/0`;
    // Where most goes through there is most to see.
    const flows = live.steps.flatMap((step) =>
      step.inputs.map(({ perSecond }, at) => ({ id: `${step.id}/${at}`, perSecond })),
    );
    return flows.sort((left, right) => right.perSecond - left.perSecond)[0]?.id ?? '';
  });
  const [looking, setLooking] = useState(chosen !== undefined);
  const [records, setRecords] = useState<readonly (ShownRecord & { readonly at: number })[]>([]);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (!looking || place === '') return undefined;
    setRecords([]);
    setProblem(undefined);
    const [step = '', input = '0'] = place.split('/');
    let at = 0;
    const source = new EventSource(`/api/peek?${new URLSearchParams({ step, input })}`);
    source.addEventListener('record', ({ data }: MessageEvent<string>) => {
      at += 1;
      const record = { ...(JSON.parse(data) as ShownRecord), at };
      setRecords((known) => [record, ...known].slice(0, MAX_RECORDS));
    });
    source.addEventListener('refused', ({ data }: MessageEvent<string>) => {
      setProblem(JSON.parse(data) as string);
      setLooking(false);
      source.close();
    });
    return () => source.close();
  }, [looking, place]);
  return (
    <Panel title="Peek" aside={<span class="hint">at most ten records per second; the last {MAX_RECORDS}</span>}>
      <form class="ask" onSubmit={(event) => event.preventDefault()}>
        <label>
          edge{' '}
          <select value={place} onChange={(event) => setPlace(event.currentTarget.value)}>
            {places.map(({ id, text }) => (
              <option key={id} value={id}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="primary" aria-pressed={looking} onClick={() => setLooking(!looking)}>
          {looking ? 'stop' : 'look'}
        </button>
      </form>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <Table
        label="records"
        empty={looking ? 'Waiting for a record…' : 'Nothing is looked at.'}
        rows={records}
        keyOf={({ at }) => String(at)}
        size={MAX_RECORDS}
        columns={[
          { title: 'Time (UTC)', cell: ({ timestamp }) => time(timestamp) },
          {
            title: 'Place',
            cell: ({ offset, partition, topic }) => (topic === '' ? '–' : `${topic}/${partition}@${offset}`),
          },
          { title: 'Key', cell: ({ key }) => <code>{key}</code> },
          { title: 'Value', cell: (record) => <Content {...record} /> },
        ]}
      />
    </Panel>
  );
}
