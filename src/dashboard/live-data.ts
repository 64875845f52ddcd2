/** The data that the server sends to the page: plain data, shared by both builds. */

export type StageState = 'running' | 'idle' | 'behind' | 'stalled' | 'waiting' | 'starting' | 'failed' | 'stopped';

export interface LiveStage {
  readonly name: string;
  readonly state: StageState;
  /** Descriptions of the reasons; empty if the state is self-explanatory. */
  readonly reasons: readonly string[];
  readonly tasks: number;
  readonly lag: number | undefined;
  readonly lagMs: number | undefined;
  /** Lowest and highest stream time of its tasks. */
  readonly streamTimeFrom: number | undefined;
  readonly streamTimeTo: number | undefined;
  readonly openWindows: number;
  readonly pendingAsync: number;
  /** Fraction of the last second in which its tasks were working, from 0 to 1. */
  readonly busy: number;
}

export interface LiveStep {
  readonly id: number;
  readonly stage: string;
  readonly step: string;
  readonly recordsIn: number | undefined;
  readonly recordsOut: number | undefined;
  readonly inPerSecond: number | undefined;
  readonly outPerSecond: number | undefined;
  readonly late: number;
  readonly dropped: number;
  readonly failed: number;
  readonly deadLettered: number;
  readonly inputs: readonly { readonly from: number | undefined; readonly perSecond: number }[];
}

/** The partitions of a topic that this process reads, as columns, because there may be thousands. */
export interface LiveSource {
  readonly topic: string;
  readonly stage: string;
  readonly partition: readonly number[];
  readonly position: readonly number[];
  readonly end: readonly (number | null)[];
  readonly lag: readonly (number | null)[];
  readonly lagMs: readonly (number | null)[];
  readonly perSecond: readonly number[];
  readonly streamTime: readonly (number | null)[];
}

export interface LiveStore {
  readonly name: string;
  readonly stage: string;
  readonly partitions: number;
  readonly cached: number;
  readonly dirty: number;
  readonly openWindows: number | undefined;
  /** The earliest end of an open window. */
  readonly firstEnd: number | undefined;
  /** Lowest and highest stream time of the step. */
  readonly streamTimeFrom: number | undefined;
  readonly streamTimeTo: number | undefined;
  readonly late: number;
}

export interface LiveTiming {
  readonly count: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number;
}

export interface LiveProcess {
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly residentBytes: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly gcCount: number;
  readonly gcMs: number;
}

/** One second of data for the charts. */
export interface LivePoint {
  /** In ms since the epoch. */
  readonly at: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly lag: number | null;
  readonly commitMs: number | null;
  readonly recordToCommitMs: number | null;
  readonly loopDelayMs: number | null;
  readonly heapMb: number | null;
  readonly late: number;
}

export interface LiveApp {
  readonly applicationId: string;
  readonly state: string;
  readonly kind: string;
  readonly location: string;
  readonly guarantee: string;
  readonly uptimeMs: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly late: number;
  readonly dropped: number;
  readonly errors: number;
  readonly lag: number | undefined;
  readonly streamTime: number | undefined;
  readonly openWindows: number;
  readonly commits: number;
  readonly lastCommitAgeMs: number | undefined;
  readonly restarts: number;
  readonly deadLettered: number;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly waitingFor: readonly string[];
}

export interface Live {
  readonly now: number;
  readonly app: LiveApp;
  readonly point: LivePoint;
  readonly stages: readonly LiveStage[];
  readonly steps: readonly LiveStep[];
  readonly sources: readonly LiveSource[];
  readonly stores: readonly LiveStore[];
  readonly globals: readonly { readonly name: string; readonly rows: number }[];
  readonly timings: {
    readonly turns: LiveTiming;
    readonly fetches: LiveTiming;
    readonly commits: LiveTiming;
    readonly recordToCommit: LiveTiming;
  };
  readonly process: LiveProcess | undefined;
}

export interface LiveEvent {
  readonly number: number;
  readonly time: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** A record to show: masked previews. */
export interface ShownRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly window: { readonly start: number; readonly end: number } | undefined;
}

export interface ShownLetter extends ShownRecord {
  readonly code: string;
  readonly message: string;
  readonly step: string;
  /** The place of the record; `undefined` for a kept row. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
  /** Why it cannot be replayed; `undefined` if it can. */
  readonly notReplayable: string | undefined;
  /** Topics that its record was written to. */
  readonly replayed: readonly string[];
}

export interface ShownRow {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number | undefined;
  readonly window: { readonly start: number; readonly end: number } | undefined;
}

export interface StateAnswer {
  readonly rows: readonly ShownRow[];
  /** Whether there are more entries than were scanned. */
  readonly more: boolean;
  readonly note: string | undefined;
}

/** A node of the drawing, in pixels; the graph says what it represents. */
export interface PictureNode {
  readonly id: string;
  readonly kind: 'topic' | 'step' | 'rxjs';
  readonly title: string;
  readonly stores: readonly string[];
  readonly stage: string | undefined;
  readonly steps: readonly number[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}

export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly stage: string;
  readonly lookup: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly stages: readonly {
    readonly name: string;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }[];
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

/** What the page is told once, at its start. */
export interface About {
  /** Whether it shows an application in this process or a log used by others. */
  readonly of: 'application' | 'log';
  readonly name: string;
  readonly location: string;
  readonly acts: boolean;
  readonly stores: readonly { readonly name: string; readonly stage: string }[];
  readonly letterTopics: readonly string[];
  readonly picture: Picture | undefined;
  readonly history: readonly LivePoint[];
}

/** A log from outside: its topics, and the positions of groups. */
export interface LogOverview {
  readonly topics: readonly { readonly name: string; readonly partitions: number; readonly records: number }[];
  readonly groups: readonly {
    readonly name: string;
    readonly active: boolean;
    readonly topics: readonly { readonly topic: string; readonly lag: number; readonly partitions: number }[];
  }[];
}
