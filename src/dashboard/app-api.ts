import type { IncomingMessage, ServerResponse } from 'node:http';
import { MillraceError } from '../errors.ts';
import { drawingOf } from '../graph/drawing.ts';
import { layoutOf } from '../graph/layout.ts';
import type { PipelineGraph } from '../plan/graph.ts';
import { ProcessWatch } from '../runtime/app/process-watch.ts';
import type { AppSnapshot } from '../runtime/app/snapshot.ts';
import { Letters } from './letters.ts';
import type { About, Live, LiveEvent, Picture, ShownRecord } from './live-data.ts';
import { LiveStreams } from './live-stream.ts';
import type { DashboardSettings } from './options.ts';
import { bodyOf, jsonOf, sendJson, sendText } from './pages.ts';
import { Peeks } from './peek.ts';
import { Sampler } from './sampler.ts';
import { Shown } from './shown.ts';
import type { DashboardSource, WatchedApp } from './source.ts';
import { lookIntoState } from './state-look.ts';

const EVERY_MS = 1000;
/** Fields of events that contain or quote a part of a record. */
const OF_RECORDS: ReadonlySet<string> = new Set(['error', 'key']);
/** A blank line in a node that reserves room for its figures. */
const FIGURES = ' '.repeat(10);

/** The drawing of a pipeline, with room for figures. */
function pictureOf(graph: PipelineGraph): Picture {
  const drawing = drawingOf(graph);
  return layoutOf({ ...drawing, nodes: drawing.nodes.map((node) => ({ ...node, stores: [...node.stores, FIGURES] })) });
}

/** The API of the page for an application. */
export class AppApi {
  readonly #watched: WatchedApp;
  readonly #settings: DashboardSettings;
  readonly #streams = new LiveStreams();
  readonly #peekStreams = new LiveStreams();
  readonly #sampler = new Sampler();
  readonly #process = new ProcessWatch();
  readonly #shown: Shown;
  readonly #peeks: Peeks;
  readonly #letters: Letters;
  readonly #timer: NodeJS.Timeout;
  #live: Live;
  #events = 0;
  #picture: Picture | undefined;

  constructor(watched: WatchedApp, source: DashboardSource, settings: DashboardSettings) {
    this.#watched = watched;
    this.#settings = settings;
    this.#shown = new Shown(settings.mask);
    const names = watched.app.graph.stages.flatMap(({ steps }) => steps.map(({ name }) => name));
    this.#peeks = new Peeks(watched.meters.steps, watched.streams, names, this.#shown);
    this.#letters = new Letters(watched.letterTopics, source.client, this.#shown);
    this.#live = this.#sample();
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref();
  }

  /** @returns Whether it handled the path. */
  async get(path: string, query: URLSearchParams, response: ServerResponse): Promise<boolean> {
    switch (path) {
      case '/api/about':
        sendJson(response, this.#about());
        return true;
      case '/api/snapshot':
        sendJson(response, this.#snapshot());
        return true;
      case '/api/live':
        this.#stream(response);
        return true;
      case '/api/peek':
        this.#peek(query, response);
        return true;
      case '/api/state':
        this.#state(query, response);
        return true;
      case '/api/letters':
        sendJson(response, await this.#letters.list(query.get('topic') ?? ''));
        return true;
      default:
        return false;
    }
  }

  /** @returns Whether it handled the path. */
  async post(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (path !== '/api/replay') return false;
    const body = (await bodyOf(request)) as Partial<Record<string, unknown>> | null | undefined;
    const { again, offset, partition, topic } = body ?? {};
    if (typeof topic !== 'string' || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) {
      sendJson(response, { error: 'topic, partition and offset are needed' }, 400);
      return true;
    }
    const letter = { topic, partition: partition as number, offset: offset as number, again: again === true };
    try {
      sendJson(response, await this.#letters.replay(letter));
    } catch (error) {
      const { code, message } = error as MillraceError;
      sendJson(response, { error: error instanceof MillraceError ? message : String(error), code }, 409);
    }
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#process.close();
    // Sends the final state, so that the page does not end with an outdated one.
    this.#tick();
    this.#streams.close();
    this.#peekStreams.close();
  }

  #about(): About {
    const { app, letterTopics } = this.#watched;
    const { applicationId, location } = app.snapshot();
    this.#picture ??= pictureOf(app.graph);
    return {
      of: 'application',
      name: applicationId,
      location,
      acts: this.#settings.token !== undefined,
      stores: app.graph.stages.flatMap((stage) =>
        stage.steps.flatMap(({ stores }) => stores.map((name) => ({ name, stage: stage.name }))),
      ),
      letterTopics,
      picture: this.#picture,
      history: this.#sampler.history,
    };
  }

  #sample(): Live {
    return this.#sampler.next(this.#snapshot(), Date.now(), performance.now(), this.#process.snapshot());
  }

  /** A snapshot of the application. Its error may quote a record, so it is masked. */
  #snapshot(): AppSnapshot {
    const snapshot = this.#watched.app.snapshot();
    const { error } = snapshot;
    return error === undefined
      ? snapshot
      : { ...snapshot, error: { ...error, message: this.#shown.reason(error.message) } };
  }

  #tick(): void {
    this.#live = this.#sample();
    if (this.#streams.size > 0) this.#streams.send('live', jsonOf(this.#live));
    const events = this.#watched.events.since(this.#events);
    this.#events = events.at(-1)?.number ?? this.#events;
    if (events.length > 0) this.#streams.send('events', jsonOf(this.#told(events)));
  }

  #told(events: readonly LiveEvent[]): LiveEvent[] {
    return events.map((event) => ({
      ...event,
      fields: Object.fromEntries(
        Object.entries(event.fields).map(([name, value]) => [
          name,
          OF_RECORDS.has(name) ? this.#shown.reason(String(value)) : value,
        ]),
      ),
    }));
  }

  #stream(response: ServerResponse): void {
    const stream = this.#streams.open(response);
    if (stream === undefined) return tooMany(response);
    stream.send('live', jsonOf(this.#live));
    stream.send(
      'events',
      jsonOf(this.#told(this.#watched.events.since(0).filter(({ number }) => number <= this.#events))),
    );
  }

  #peek(query: URLSearchParams, response: ServerResponse): void {
    const place = { step: Number(query.get('step') ?? -1), input: Number(query.get('input') ?? 0) };
    const listeners: ((record: ShownRecord) => void)[] = [];
    const end = this.#peeks.open(place, (record) => {
      for (const listener of listeners) listener(record);
    });
    const stream = this.#peekStreams.open(response, end);
    if (stream === undefined) {
      end?.();
      return tooMany(response);
    }
    if (end === undefined) {
      stream.send('refused', jsonOf('nothing is counted there, or four other places are looked at'));
      return stream.end();
    }
    listeners.push((record) => stream.send('record', jsonOf(record)));
  }

  #state(query: URLSearchParams, response: ServerResponse): void {
    const store = query.get('store') ?? '';
    if (store === '') return sendJson(response, { error: 'store is needed' }, 400);
    const question = {
      store,
      key: query.get('key') ?? '',
      prefix: query.get('prefix') === '1',
    };
    try {
      sendJson(response, lookIntoState(this.#watched.app, question, this.#shown));
    } catch (error) {
      sendJson(response, { error: error instanceof Error ? error.message : String(error) }, 400);
    }
  }
}

/** Refuses a stream, and its connection with it: that would take the place of those who ask for something else. */
function tooMany(response: ServerResponse): void {
  response.setHeader('connection', 'close');
  sendText(response, 503, 'too many pages are open\n');
}
