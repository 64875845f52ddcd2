import { useEffect, useState } from 'preact/hooks';
import type { About, Live, LiveEvent, LivePoint } from '../src/dashboard/live-data.ts';

/** What the page knows now. */
export interface Known {
  readonly about: About | undefined;
  readonly live: Live | undefined;
  readonly history: readonly LivePoint[];
  readonly events: readonly LiveEvent[];
  /** `open`, or why nothing comes. */
  readonly connection: 'connecting' | 'open' | 'lost';
  readonly problem: string | undefined;
}

const MAX_POINTS = 900;
const MAX_EVENTS = 500;

let known: Known = {
  about: undefined,
  live: undefined,
  history: [],
  events: [],
  connection: 'connecting',
  problem: undefined,
};
const listeners = new Set<() => void>();

function set(change: Partial<Known>): void {
  known = { ...known, ...change };
  for (const listener of listeners) listener();
}

/** Draws the component again with each second. */
export function useKnown(): Known {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = (): void => again((n) => n + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return known;
}

/** Asks the server for JSON. @throws Error with what it says */
export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  const text = await response.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(text.trim() || `the server says ${response.status}`);
  }
  if (!response.ok)
    throw new Error((value as { readonly error?: string }).error ?? `the server says ${response.status}`);
  return value as T;
}

/** Connects, and again whenever the connection is lost. */
export async function connect(): Promise<void> {
  try {
    const about = await ask<About>('/api/about');
    set({ about, history: about.history, connection: 'open', problem: undefined });
    document.title = `${about.name} · Millrace`;
    if (about.of === 'application') follow();
  } catch (error) {
    set({ connection: 'lost', problem: error instanceof Error ? error.message : String(error) });
    setTimeout(() => void connect(), 2000);
  }
}

function follow(): void {
  const source = new EventSource('/api/live');
  source.addEventListener('open', () => set({ connection: 'open' }));
  source.addEventListener('live', ({ data }: MessageEvent<string>) => {
    const live = JSON.parse(data) as Live;
    const last = known.history.at(-1);
    const fresh = last === undefined || last.at < live.point.at;
    set({ live, history: fresh ? [...known.history.slice(1 - MAX_POINTS), live.point] : known.history });
  });
  source.addEventListener('events', ({ data }: MessageEvent<string>) => {
    const seen = known.events.at(-1)?.number ?? 0;
    const events = (JSON.parse(data) as LiveEvent[]).filter(({ number }) => number > seen);
    if (events.length > 0) set({ events: [...known.events, ...events].slice(-MAX_EVENTS) });
  });
  source.addEventListener('error', () => {
    set({ connection: 'lost' });
    // An application that has ended has closed its server; another one may come in its place.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => void connect(), 2000);
  });
}
