import { execFileSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import type { LogLocation } from '../index.ts';
import { counted } from '../options/counted.ts';

/** The facts that a start prints first. */
export interface Start {
  readonly version: string;
  readonly applicationId: string;
  readonly file: string;
  readonly exported: string;
  readonly location: LogLocation;
  readonly stateDir: string | undefined;
  readonly configFile: string | undefined;
  readonly until: 'end' | undefined;
  readonly stages: number;
  readonly stores: number;
}

/** The first lines of a run, one fact per line. */
export function startBox(start: Start): string {
  const { location } = start;
  const rows: readonly (readonly [name: string, value: string | undefined])[] = [
    ['millrace', `${start.version} on Node ${process.versions.node}`],
    ['application', `${start.applicationId} (${counted(start.stages, 'stage')}, ${counted(start.stores, 'store')})`],
    ['pipeline', `${start.exported} of ${start.file}${commitOf(start.file)}`],
    ['log', logOf(location)],
    ['guarantee', guaranteeOf(location)],
    ['state', location.brokers === undefined ? undefined : (start.stateDir ?? 'in memory, restored from changelogs')],
    ['config', start.configFile],
    ['until', start.until === undefined ? undefined : 'the end of the existing records'],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)} ${value}`])).join('\n');
}

function logOf({ brokers, path, transport }: LogLocation): string {
  if (transport !== undefined) return 'the transport of the file';
  return brokers === undefined ? `folder ${resolve(path ?? '.millrace')}` : `Kafka at ${brokers.join(', ')}`;
}

function guaranteeOf({ brokers, kafka }: LogLocation): string {
  return brokers === undefined ? 'exactly once' : (kafka?.guarantee ?? 'at-least-once').replaceAll('-', ' ');
}

/** The git commit of the file, if there is one. */
function commitOf(file: string): string {
  try {
    const git = ['rev-parse', '--short', 'HEAD'];
    const found = execFileSync('git', git, { cwd: dirname(file), stdio: ['ignore', 'pipe', 'ignore'], timeout: 2000 });
    return ` at ${found.toString().trim()}`;
  } catch {
    return '';
  }
}
