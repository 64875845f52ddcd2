import { useEffect, useState } from 'preact/hooks';
import type { Live, LivePoint } from '../src/dashboard/live-data.ts';
import { Spark } from './chart.tsx';
import { count, plural, rate, span } from './format.ts';
import { type Known, useKnown } from './live-store.ts';
import { Figure, State } from './parts.tsx';
import { storedTheme, type Theme, useTheme } from './theme.ts';
import { Events } from './views/events.tsx';
import { LettersView } from './views/letters.tsx';
import { LogView } from './views/log.tsx';
import { Peek } from './views/peek.tsx';
import { Runtime } from './views/runtime.tsx';
import { Sources } from './views/sources.tsx';
import { StateView } from './views/state.tsx';
import { Time } from './views/time.tsx';
import { Topology } from './views/topology.tsx';

const VIEWS = [
  ['topology', 'Topology'],
  ['sources', 'Sources'],
  ['time', 'Time'],
  ['state', 'State'],
  ['peek', 'Peek'],
  ['letters', 'Dead letters'],
  ['events', 'Events'],
  ['runtime', 'Runtime'],
] as const;

type View = (typeof VIEWS)[number][0];

/** The view that the address names, so that it can be kept and sent. */
function viewOf(hash: string): { readonly view: View; readonly about: string | undefined } {
  const [name = '', about] = hash.replace(/^#/, '').split('/');
  const view = VIEWS.find(([id]) => id === name)?.[0] ?? 'topology';
  return { view, about: about === undefined ? undefined : decodeURIComponent(about) };
}

export function Shell() {
  const known = useKnown();
  const [place, setPlace] = useState(() => viewOf(location.hash));
  useEffect(() => {
    const moved = (): void => setPlace(viewOf(location.hash));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const open = (view: string, about: string): void => {
    location.hash = `${view}/${encodeURIComponent(about)}`;
  };
  if (known.about === undefined) return <Connecting problem={known.problem} />;
  if (known.about.of === 'log') {
    return (
      <div class="shell alone">
        <Top known={known} />
        <main id="view" tabIndex={-1}>
          <h1 class="unseen">Topics and groups</h1>
          <LogView about={known.about} />
        </main>
      </div>
    );
  }
  const title = VIEWS.find(([id]) => id === place.view)?.[1] ?? '';
  return (
    <div class="shell">
      <a
        class="skip"
        href="#view"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('view')?.focus();
        }}
      >
        to the content
      </a>
      <Top known={known} />
      <nav class="views" aria-label="views">
        <ul>
          {VIEWS.map(([id, name], at) => (
            <li key={id}>
              <a
                href={`#${id}`}
                aria-current={id === place.view ? 'page' : undefined}
                aria-keyshortcuts={String(at + 1)}
              >
                {name}
                {id === 'letters' && (known.live?.app.deadLettered ?? 0) > 0 ? (
                  <b class="badge">{count(known.live?.app.deadLettered)}</b>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Shortcuts />
      <main id="view" tabIndex={-1}>
        <h1 class="unseen">{title}</h1>
        {known.live === undefined ? (
          <p class="loading">Waiting for the first figures…</p>
        ) : (
          <Shown known={known} live={known.live} place={place} open={open} />
        )}
      </main>
    </div>
  );
}

/** 1 to 8 go to the views. */
function Shortcuts() {
  useEffect(() => {
    const pressed = ({ altKey, ctrlKey, key, metaKey, target }: KeyboardEvent): void => {
      const typing = target instanceof Element && target.closest('input, select, textarea') !== null;
      const view = /^[1-9]$/.test(key) ? VIEWS[Number(key) - 1] : undefined;
      if (typing || altKey || ctrlKey || metaKey || view === undefined) return;
      location.hash = view[0];
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  return null;
}

interface ShownProps {
  readonly known: Known;
  readonly live: Live;
  readonly place: { readonly view: View; readonly about: string | undefined };
  readonly open: (view: string, about: string) => void;
}

function Shown({ known, live, open, place }: ShownProps) {
  const { about, events, history } = known;
  if (about === undefined) return null;
  switch (place.view) {
    case 'topology':
      return about.picture === undefined ? null : <Topology picture={about.picture} live={live} open={open} />;
    case 'sources':
      return <Sources live={live} history={history} />;
    case 'time':
      return <Time live={live} />;
    case 'state':
      return <StateView key={place.about} about={about} chosen={place.about} />;
    case 'peek':
      return <Peek key={place.about} live={live} chosen={place.about} />;
    case 'letters':
      return <LettersView about={about} />;
    case 'events':
      return <Events events={events} />;
    case 'runtime':
      return <Runtime live={live} history={history} />;
  }
}

function Connecting({ problem }: { readonly problem: string | undefined }) {
  return (
    <main class="connecting">
      <Mark />
      <h1>Millrace</h1>
      <p role="status">{problem ?? 'Connecting…'}</p>
    </main>
  );
}

function Mark() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M4 12c4-4 8-4 12 0s8 4 12 0M4 20c4-4 8-4 12 0s8 4 12 0" />
    </svg>
  );
}

function Top({ known }: { readonly known: Known }) {
  const { about, connection, history, live } = known;
  const [theme, setTheme] = useState<Theme>(storedTheme);
  useEffect(() => useTheme(theme), [theme]);
  return (
    <header class="top">
      <div class="who">
        <Mark />
        <div>
          <strong>{about?.name}</strong>
          <small>
            {live === undefined
              ? about?.location
              : `${live.app.guarantee.replaceAll('-', ' ')} · ${live.app.kind} · ${live.app.location}`}
          </small>
        </div>
      </div>
      {live === undefined ? null : <Strip live={live} history={history} />}
      <div class="tools">
        {connection === 'lost' ? (
          <span class="state is-failed" role="status">
            connection lost
          </span>
        ) : null}
        <label>
          <span class="unseen">theme</span>
          <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
            <option value="auto">auto</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
      </div>
      {live === undefined ? null : <Health live={live} />}
    </header>
  );
}

/** Records of long ago say nothing of the delay now. */
function delay(ms: number | undefined): string {
  return ms !== undefined && ms > 172_800_000 ? 'history' : span(ms);
}

/** What is asked for first. */
function Strip({ history, live }: { readonly live: Live; readonly history: readonly LivePoint[] }) {
  const { app, point, timings } = live;
  const recent = history.slice(-120);
  return (
    <dl class="strip">
      <div class="figure wide">
        <dt>Read/s</dt>
        <dd>
          {rate(point.inPerSecond)}
          <Spark
            label={`records per second, the last ${plural(recent.length, 'second')}`}
            values={recent.map(({ inPerSecond }) => inPerSecond)}
          />
        </dd>
      </div>
      <Figure label="Lag" value={count(app.lag)} tone={(app.lag ?? 0) > 10_000 ? 'warn' : ''} />
      <Figure label="To commit, p50" value={delay(timings.recordToCommit.p50Ms)} />
      <Figure
        label="Last commit"
        value={app.lastCommitAgeMs === undefined ? '–' : `${span(app.lastCommitAgeMs)} ago`}
      />
      <Figure label="Open windows" value={count(app.openWindows)} />
      <Figure label="Late" value={count(app.late)} />
      <Figure label="Failed" value={count(app.errors)} tone={app.errors > 0 ? 'bad' : ''} />
    </dl>
  );
}

/** The state in words: what it is, and why it does not go on. */
function Health({ live }: { readonly live: Live }) {
  const { app, stages } = live;
  const worst = (['stalled', 'waiting', 'behind'] as const).find((state) =>
    stages.some((stage) => stage.state === state),
  );
  const state = app.state === 'running' ? (worst ?? (live.point.inPerSecond > 0 ? 'running' : 'idle')) : app.state;
  const reasons =
    app.error === undefined ? app.waitingFor : [`${app.error.code}: ${app.error.message}`, ...app.waitingFor];
  const words =
    reasons.length > 0
      ? reasons.slice(0, 3).join('; ')
      : state === 'idle'
        ? 'all records have been processed'
        : state === 'running'
          ? `${plural(
              stages.reduce((sum, { tasks }) => sum + tasks, 0),
              'task',
            )} at work`
          : '';
  return (
    <p class="health" role="status">
      <State state={state} /> <span>{words}</span>
    </p>
  );
}
