import { useMemo, useState } from 'preact/hooks';
import type { Live, LiveStage, LiveStep, Picture, PictureEdge, PictureNode } from '../../src/dashboard/live-data.ts';
import { count, plural, rate, span, time } from '../format.ts';
import { Panel, State, Table } from '../parts.tsx';

interface Props {
  readonly picture: Picture;
  readonly live: Live;
  readonly open: (view: string, about: string) => void;
}

interface Flow {
  readonly perSecond: number | undefined;
}

/** The pipeline with what flows through it. */
export function Topology({ live, open, picture }: Props) {
  const [chosen, choose] = useState<string>();
  const steps = useMemo(() => new Map(live.steps.map((step) => [step.id, step])), [live]);
  const stages = useMemo(() => new Map(live.stages.map((stage) => [stage.name, stage])), [live]);
  const node = picture.nodes.find(({ id }) => id === chosen);
  const flows = useMemo(() => picture.edges.map((edge) => flowOf(edge, picture, steps)), [picture, steps]);
  const most = flows.reduce((high, { perSecond }) => Math.max(high, perSecond ?? 0), 1);
  return (
    <div class="topology">
      <Panel
        title="Pipeline"
        aside={
          <span class="hint">
            records per second · <a href="/topology.svg">svg</a> · <a href="/topology.mmd">mermaid</a> ·{' '}
            <a href="/topology.dot">dot</a>
          </span>
        }
      >
        <div class="scroll canvas" tabIndex={0} role="region" aria-label="picture of the pipeline">
          <svg
            class="pipeline"
            style={{ width: '100%', minWidth: `${picture.width * 0.66}px`, maxWidth: `${picture.width}px` }}
            viewBox={`0 0 ${picture.width} ${picture.height}`}
            role="group"
            aria-label="The pipeline, from left to right. The table below has the same data."
          >
            <defs>
              <marker
                id="arrow"
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="9"
                markerHeight="9"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path class="head" d="M0 0.5L8 4L0 7.5z" />
              </marker>
            </defs>
            {picture.stages.map((stage) => (
              <g key={stage.name} class={`stage is-${stages.get(stage.name)?.state ?? 'idle'}`}>
                <rect x={stage.x} y={stage.y} width={stage.width} height={stage.height} rx="10" />
              </g>
            ))}
            {picture.edges.map((edge, at) => (
              <Edge key={`${edge.from} ${edge.to} ${edge.stage}`} edge={edge} flow={flows[at] as Flow} most={most} />
            ))}
            {picture.nodes.map((each) => (
              <Node
                key={each.id}
                node={each}
                stage={each.stage === undefined ? undefined : stages.get(each.stage)}
                steps={each.steps.flatMap((id) => steps.get(id) ?? [])}
                live={live}
                chosen={each.id === chosen}
                choose={() => choose(each.id === chosen ? undefined : each.id)}
              />
            ))}
          </svg>
        </div>
      </Panel>
      {node === undefined ? null : (
        <Details node={node} picture={picture} live={live} steps={steps} open={open} close={() => choose(undefined)} />
      )}
      <Stages stages={live.stages} />
      <Panel title="Steps">
        <Table
          label="steps of the pipeline"
          empty="no steps"
          rows={live.steps}
          keyOf={({ id }) => String(id)}
          columns={[
            { title: 'Step', cell: ({ step }) => <code>{step}</code> },
            { title: 'Stage', cell: ({ stage }) => stage },
            { title: 'In/s', number: true, cell: (step) => rate(step.inPerSecond) },
            { title: 'Out/s', number: true, cell: (step) => rate(step.outPerSecond) },
            { title: 'In', number: true, cell: (step) => count(step.recordsIn) },
            { title: 'Out', number: true, cell: (step) => count(step.recordsOut) },
            { title: 'Late', number: true, cell: (step) => count(step.late) },
            { title: 'Dropped', number: true, cell: (step) => count(step.dropped) },
            { title: 'Failed', number: true, cell: (step) => count(step.failed) },
          ]}
        />
      </Panel>
    </div>
  );
}

/** Each stage in a line: its state, and why. */
function Stages({ stages }: { readonly stages: readonly LiveStage[] }) {
  return (
    <Panel title="Stages">
      <Table
        label="stages of the pipeline"
        empty="no stages"
        rows={stages}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Stage', cell: ({ name }) => <code>{name}</code> },
          {
            title: 'State',
            cell: ({ reasons, state }) => (
              <>
                <State state={state} />
                {reasons.map((reason) => (
                  <small key={reason} class="reason">
                    {reason}
                  </small>
                ))}
              </>
            ),
          },
          { title: 'Tasks', number: true, cell: ({ tasks }) => count(tasks) },
          { title: 'Busy', number: true, cell: ({ busy }) => <Busy share={busy} /> },
          { title: 'Lag', number: true, cell: ({ lag }) => count(lag) },
          { title: 'Behind', number: true, cell: ({ lagMs }) => span(lagMs) },
          { title: 'Calls in progress', number: true, cell: ({ pendingAsync }) => count(pendingAsync) },
        ]}
      />
    </Panel>
  );
}

function Busy({ share }: { readonly share: number }) {
  return (
    <span class="busy">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect width="100" height="8" class="ground" />
        <rect width={share * 100} height="8" class={share > 0.9 ? 'hot' : 'fill'} />
      </svg>
      {Math.round(share * 100)} %
    </span>
  );
}

/** What goes along an arrow: what the step below has counted for the input that comes from the step above. */
function flowOf(edge: PictureEdge, picture: Picture, steps: ReadonlyMap<number, LiveStep>): Flow {
  const above = picture.nodes.find(({ id }) => id === edge.from)?.steps ?? [];
  const below = picture.nodes.find(({ id }) => id === edge.to)?.steps.flatMap((id) => steps.get(id) ?? []) ?? [];
  const inputs = below.filter(({ stage }) => stage === edge.stage).flatMap(({ inputs }) => inputs);
  const from = inputs.filter((input) => input.from !== undefined && above.includes(input.from));
  // Between the two a plain RxJS operator may stand, which nothing counts for.
  const counted = from.length > 0 ? from : inputs.length === 1 ? inputs : [];
  if (counted.length === 0) {
    const sources =
      edge.to.startsWith('step:') && !edge.lookup ? below.filter(({ inputs }) => inputs.length === 0) : [];
    const [only] = sources;
    return { perSecond: only?.inPerSecond };
  }
  return { perSecond: counted.reduce((sum, { perSecond }) => sum + perSecond, 0) };
}

function pathOf(points: PictureEdge['points']): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  for (const [at, point] of rest.entries()) {
    const next = rest[at + 1];
    if (next === undefined) path += `L${point.x} ${point.y}`;
    else path += `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  }
  return path;
}

function Edge({ edge, flow, most }: { readonly edge: PictureEdge; readonly flow: Flow; readonly most: number }) {
  const { perSecond } = flow;
  const flows = perSecond !== undefined && perSecond > 0;
  // A tenth of the records is half as wide.
  const width = flows ? 1.4 + 4 * Math.max(0, 1 + Math.log10(perSecond / most) / 4) : 1.4;
  const path = pathOf(edge.points);
  return (
    <g class={`edge ${edge.lookup ? 'lookup' : ''} ${flows ? 'flows' : ''}`}>
      <path d={path} stroke-width={width} marker-end="url(#arrow)" />
      {flows ? <path class="drops" d={path} stroke-width={Math.max(1.2, width * 0.45)} /> : null}
    </g>
  );
}

interface NodeProps {
  readonly node: PictureNode;
  readonly stage: LiveStage | undefined;
  readonly steps: readonly LiveStep[];
  readonly live: Live;
  readonly chosen: boolean;
  readonly choose: () => void;
}

function Node({ choose, chosen, live, node, stage, steps }: NodeProps) {
  const figures = figuresOf(node, steps, live);
  const problems = steps.reduce((sum, step) => sum + step.failed, 0);
  const state = stage?.state ?? (node.kind === 'topic' ? topicState(node, live) : 'idle');
  const middle = node.x + node.width / 2;
  const names = [node.title, ...node.stores.filter((store) => store.trim() !== '').map((store) => `▤ ${store}`)];
  const top = node.y + 18;
  return (
    <g
      class={`node ${node.kind} is-${state} ${chosen ? 'chosen' : ''}`}
      tabindex={0}
      role="button"
      aria-pressed={chosen}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        choose();
      }}
    >
      <rect x={node.x} y={node.y} width={node.width} height={node.height} rx={node.kind === 'topic' ? 14 : 6} />
      {node.kind === 'topic' ? null : (
        <rect class="mark" x={node.x} y={node.y + 6} width="3" height={node.height - 12} rx="1.5" />
      )}
      {names.map((name, at) => (
        <text key={name} x={middle} y={top + at * 17} class={at === 0 ? 'title' : 'store'}>
          {name}
        </text>
      ))}
      <text x={middle} y={node.y + node.height - 9} class="figures">
        {figures}
      </text>
      {problems > 0 ? (
        <g class="problems">
          <circle cx={node.x + node.width - 3} cy={node.y + 3} r="9" />
          <text x={node.x + node.width - 3} y={node.y + 6.5}>
            {problems > 99 ? '99+' : problems}
          </text>
        </g>
      ) : null}
    </g>
  );
}

function figuresOf(node: PictureNode, steps: readonly LiveStep[], live: Live): string {
  if (node.kind === 'topic') {
    const source = live.sources.find(({ topic }) => topic === node.title);
    const written = steps.filter(({ inputs, step }) => inputs.length > 0 && /^(to|through)\(/.test(step));
    const read = source?.perSecond.reduce((sum, each) => sum + each, 0);
    const lag = source?.lag.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    const into = written.reduce((sum, step) => sum + (step.outPerSecond ?? 0), 0);
    const parts = [written.length > 0 ? `↘ ${rate(into)}` : '', read === undefined ? '' : `↗ ${rate(read)}`];
    const told = parts.filter((part) => part !== '').join('  ');
    return lag === undefined || lag === 0 ? told || '–' : `${told}  lag ${rate(lag)}`;
  }
  const [step] = steps;
  if (step?.inPerSecond === undefined) return 'not counted';
  const out = step.outPerSecond;
  return out === undefined || Math.abs(out - step.inPerSecond) < 0.05
    ? `${rate(step.inPerSecond)}/s`
    : `${rate(step.inPerSecond)} → ${rate(out)}/s`;
}

function topicState({ title }: PictureNode, live: Live): string {
  const source = live.sources.find(({ topic }) => topic === title);
  return source?.lag.some((lag) => lag !== null && lag > 0) === true ? 'lagging' : 'plain';
}

interface DetailsProps {
  readonly node: PictureNode;
  readonly picture: Picture;
  readonly live: Live;
  readonly steps: ReadonlyMap<number, LiveStep>;
  readonly open: Props['open'];
  readonly close: () => void;
}

function Details({ close, live, node, open, steps }: DetailsProps) {
  const own = node.steps.flatMap((id) => steps.get(id) ?? []);
  const stores = live.stores.filter(({ name }) => node.stores.includes(name));
  const stage = live.stages.find(({ name }) => name === node.stage);
  const peekable = own.filter(({ inputs }) => inputs.length > 0);
  return (
    <Panel
      title={node.title}
      class="details"
      aside={
        <button type="button" onClick={close}>
          close
        </button>
      }
    >
      {stage === undefined ? null : (
        <p>
          <State state={stage.state} /> in stage <code>{stage.name}</code>
          {stage.reasons.map((reason) => (
            <small key={reason} class="reason">
              {reason}
            </small>
          ))}
        </p>
      )}
      <dl class="figures">
        {own.map((step) => (
          <div key={step.id}>
            <dt>
              <code>{step.step}</code>
            </dt>
            <dd>
              {count(step.recordsIn)} in, {count(step.recordsOut)} out
              {step.late > 0 ? `, ${count(step.late)} late` : ''}
              {step.dropped > 0 ? `, ${count(step.dropped)} dropped` : ''}
              {step.failed > 0 ? `, ${count(step.failed)} failed` : ''}
              {step.deadLettered > 0 ? `, ${plural(step.deadLettered, 'dead letter')}` : ''}
            </dd>
          </div>
        ))}
        {stores.map((store) => (
          <div key={store.name}>
            <dt>
              store <code>{store.name}</code>
            </dt>
            <dd>
              {store.openWindows === undefined ? '' : `${plural(store.openWindows, 'open window')}, `}
              {plural(store.cached, 'entry').replace('entrys', 'entries')} in memory
              {store.streamTimeTo === undefined ? '' : `, stream time ${time(store.streamTimeTo)}`}
            </dd>
          </div>
        ))}
      </dl>
      <p class="actions">
        {peekable.map((step) => (
          <button key={step.id} type="button" onClick={() => open('peek', String(step.id))}>
            look at records that come to {step.step}
          </button>
        ))}
        {stores.map(({ name }) => (
          <button key={name} type="button" onClick={() => open('state', name)}>
            look into {name}
          </button>
        ))}
      </p>
    </Panel>
  );
}
