import { mkdtempSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import type { Command } from 'commander';
import { ConfigError, type ConnectOptions, connect } from '../../index.ts';
import { counted } from '../../options/counted.ts';
import { clusterFindings, futureRecords, tryOut } from '../cluster-check.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { ExitError } from '../exit.ts';
import { explain } from '../explain.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { libraryError } from '../library-error.ts';
import { type LocationFlags, location } from '../location.ts';
import { writeRows } from '../output.ts';

type Flags = LocationFlags & { readonly json?: boolean; readonly try?: boolean };

const OLDEST_NODE = [20, 19] as const;
const LEAST_FREE = 1024 ** 3;
const CERTIFICATE_DAYS = 14;
const DAY_MS = 86_400_000;

const HELP = `
Checks Node, RxJS, the native store and the log: the free disk space of a folder; certificates, brokers, replicas and your
permissions on a cluster; and records with timestamps in the future. Changes nothing, except with --try.

  millrace doctor
  millrace doctor -b kafka:9093 --tls --try`;

/** `millrace doctor` */
export function doctorCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'doctor', 'check whether Millrace can work here; exits with 3 if it finds a problem')
    .option(
      '--try',
      'on a cluster, also create a topic, write to it, read it and delete it: checks permissions and clocks',
    )
    .option('--json', 'one JSON object per line')
    .addHelpText('after', HELP)
    .action((flags: Flags) => doctor(context, flags));
}

async function doctor(context: Context, flags: Flags): Promise<void> {
  const at = location(flags, context.env);
  if (flags.try === true && at.brokers === undefined) {
    throw new ConfigError('ERR_OPTION', '--try is for a cluster', {
      hint: 'name it with --brokers, or leave --try out',
    });
  }
  const findings: Finding[] = [nodeVersion(), rxjs(), await nativeStore()];
  if (at.brokers === undefined) findings.push(await disk(at.path ?? '.millrace'));
  else if (at.kafka?.ssl !== undefined) findings.push(...(await certificates(at, context.now())));
  findings.push(...(await log(context, flags, at)));
  await writeRows(context.output, findings, ['check', 'state', 'found'], flags.json === true);
  const problems = findings.filter(({ state }) => state === 'problem').length;
  if (problems > 0) throw new ExitError(3, `${problems} ${problems === 1 ? 'problem' : 'problems'}`);
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [least, leastMinor] = OLDEST_NODE;
  const fits = major > least || (major === least && minor >= leastMinor);
  const found = `Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return fits ? ok('node', found) : problem('node', `${found}: at least ${OLDEST_NODE.join('.')} is needed`);
}

function rxjs(): Finding {
  const here = createRequire(resolve('package.json'));
  try {
    const { version } = here('rxjs/package.json') as { readonly version: string };
    return version.startsWith('7.') ? ok('rxjs', version) : problem('rxjs', `${version}: version 7 is needed`);
  } catch {
    return note('rxjs', 'it is not installed here: npm install rxjs');
  }
}

/** Opens a temporary log, so that the native part is really used. */
async function nativeStore(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
  try {
    const client = await connect({ path: folder });
    await client.topics.create('doctor');
    await client.close();
    return ok('store', 'LMDB loads and writes');
  } catch (error) {
    return problem('store', explain(error, false));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function disk(path: string): Promise<Finding> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      const found = `${(free / LEAST_FREE).toFixed(1)} GiB free at ${folder}`;
      return free < LEAST_FREE ? problem('disk', `${found}: a full disk stops applications`) : ok('disk', found);
    } catch (error) {
      if (dirname(folder) === folder) return problem('disk', String(error));
    }
  }
}

/** Opens the given log and checks its contents. */
async function log(context: Context, flags: Flags, at: ConnectOptions): Promise<readonly Finding[]> {
  const { now } = context;
  const where = at.brokers === undefined ? `folder ${resolve(at.path ?? '.millrace')}` : at.brokers.join(', ');
  const cluster = at.brokers === undefined ? undefined : { ...at.kafka, brokers: at.brokers };
  try {
    return await withClient(context, flags, async (client) => {
      const [topics, groups] = [await client.topics.list(), await client.groups.list()];
      return [
        ok('log', `${where}: ${counted(topics.length, 'topic')}, ${counted(groups.length, 'group')}`),
        ...(cluster === undefined ? [] : await attempt('cluster', () => clusterFindings(cluster))),
        ...(await attempt('timestamps', async () => [await futureRecords(client, topics, now())])),
        ...(cluster === undefined || flags.try !== true
          ? []
          : await attempt('round trip', () => tryOut(cluster, client, now))),
      ];
    });
  } catch (error) {
    if (libraryError(error)?.code === 'ERR_NO_LOG') return [note('log', `there is no log at ${where} yet`)];
    return [problem('log', explain(error, false))];
  }
}

/** Runs a check; a failure becomes a finding too. */
async function attempt(check: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [problem(check, explain(error, false))];
  }
}

async function certificates(at: ConnectOptions, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const broker of at.brokers ?? []) {
    const [, host = broker, port = '9092'] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(broker) ?? [];
    try {
      const { valid_to: until } = await certificateOf(host, Number(port), at.kafka?.ssl);
      const days = Math.floor((Date.parse(until) - now) / DAY_MS);
      const found = `${broker}: valid for ${days} days, to ${until}`;
      findings.push(days < CERTIFICATE_DAYS ? problem('certificate', found) : ok('certificate', found));
    } catch (error) {
      findings.push(problem('certificate', `${broker}: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  return findings;
}

const TLS_MS = 5000;

function certificateOf(
  host: string,
  port: number,
  ssl: NonNullable<ConnectOptions['kafka']>['ssl'],
): Promise<PeerCertificate> {
  return new Promise((found, failed) => {
    const given = typeof ssl === 'object' ? ssl : {};
    // A certificate that is not accepted is reported by the connection of the client.
    const socket = connectTls({ ...given, host, port, servername: host, rejectUnauthorized: false }, () => {
      found(socket.getPeerCertificate());
      socket.end();
    });
    socket.setTimeout(TLS_MS, () => socket.destroy(new Error('it does not answer')));
    socket.on('error', failed);
  });
}
