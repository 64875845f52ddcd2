import { Command, Option } from 'commander';
import {
  ConfigError,
  type ReadStateOptions,
  readState,
  type StoredRow,
  type StoredState,
  type StoreView,
} from '../../index.ts';
import { counted } from '../../options/counted.ts';
import { meant } from '../../options/nearest.ts';
import { toBase64 } from '../base64.ts';
import { type Context, onLog } from '../context.ts';
import { textOf } from '../envelope.ts';
import { ExitError } from '../exit.ts';
import { whole } from '../flags.ts';
import { isoOf } from '../format.ts';
import { libraryError } from '../library-error.ts';
import { type LocationFlags, location } from '../location.ts';
import { table, writeRows } from '../output.ts';
import { loadPipeline } from '../pipeline-file.ts';
import { toJson } from '../to-json.ts';

interface Flags extends LocationFlags {
  readonly with?: string;
  readonly export?: string;
  readonly keySerde?: KeyForm;
  readonly num?: number;
  readonly prefix?: string;
  readonly stateDir?: string;
  readonly json?: boolean;
}

/** How a key is written on the command line. */
const KEY_FORMS = ['string', 'number', 'bigint', 'json'] as const;
type KeyForm = (typeof KEY_FORMS)[number];

const HELP = `
The state of an application on a folder is read from that folder, whether the application runs or not. Reading changes nothing.
--with names the file of the pipeline that wrote the state, and decodes keys and values; without it they are shown as bytes. On
Kafka the state is rebuilt in memory from the changelog topics, or read from the state folder of a process (--state-dir), without a broker.

  millrace state ls clicks
  millrace state get clicks clicks-per-minute ada --with clicks.ts
  millrace state scan clicks clicks-per-minute --with clicks.ts -b localhost:9092`;

/** `millrace state …` */
export function stateCommand(context: Context): Command {
  const state = new Command('state').summary('look into the state that an application has committed');
  const onState = (name: string, summary: string): Command =>
    onLog(state, name, summary).option(
      '--state-dir <folder>',
      'folder where an application on Kafka keeps its stores on this machine',
    );
  const decoded = (command: Command): Command =>
    command
      .option('-w, --with <file>', 'file with the pipeline that wrote the state, to decode it')
      .option('--export <name>', 'name of the export in that file');
  onState('ls', 'list the stores of an application, with the partitions that have entries')
    .alias('list')
    .argument('<application>')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', HELP)
    .action((application: string, flags: Flags) =>
      withState(context, application, undefined, flags, (opened) => list(context, opened, flags)),
    );
  decoded(onState('get', 'show what a store has for a key, in all of its windows'))
    .argument('<application>')
    .argument('<store>')
    .argument('<key>')
    .addOption(new Option('--key-serde <form>', 'how the key is written (default: string)').choices(KEY_FORMS))
    .option('--json', 'one JSON object per line')
    .action((application: string, store: string, key: string, flags: Flags) =>
      withState(context, application, [store], flags, (opened) => get(context, opened, store, key, flags)),
    );
  decoded(onState('scan', 'show entries of a store'))
    .argument('<application>')
    .argument('<store>')
    .option('--prefix <text>', 'only keys that begin with this text')
    .option('-n, --num <n>', 'at most this many (default: 100)', whole)
    .option('--json', 'one JSON object per line')
    .action((application: string, store: string, flags: Flags) =>
      withState(context, application, [store], flags, (opened) => scan(context, opened, store, flags)),
    );
  decoded(onState('export', 'print all entries of stores as JSON, one in each line'))
    .argument('<application>')
    .argument('[store...]')
    .action((application: string, stores: readonly string[], flags: Flags) =>
      withState(context, application, stores.length > 0 ? stores : undefined, flags, (opened) =>
        exportAll(context, opened, stores, flags),
      ),
    );
  decoded(onState('verify', 'read all of the state and check it against its checksums; exits with 3 if any is damaged'))
    .argument('<application>')
    .option('--json', 'one JSON object per line')
    .action((application: string, flags: Flags) => verify(context, application, flags));
  return state;
}

async function withState<T>(
  { env, output }: Context,
  applicationId: string,
  stores: readonly string[] | undefined,
  flags: Flags,
  work: (state: StoredState) => Promise<T>,
): Promise<T> {
  const file = flags.with === undefined ? undefined : await loadPipeline(flags.with, flags.export);
  const open = file?.library.readState ?? readState;
  let told = false;
  const state = await open({
    ...placeOf(flags, env),
    applicationId,
    ...(file === undefined ? {} : { pipeline: file.pipeline }),
    ...(stores === undefined ? {} : { stores }),
    onRestore: () => {
      if (!told) output.say('rebuilding the state from its changelogs');
      told = true;
    },
  });
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}

function placeOf(flags: Flags, env: Context['env']): Pick<ReadStateOptions, 'path' | 'brokers' | 'kafka' | 'stateDir'> {
  const { stateDir } = flags;
  if (stateDir === undefined) return location(flags, env);
  if (flags.path === undefined && flags.brokers === undefined) return { stateDir };
  throw new ConfigError(
    'ERR_OPTION',
    `--state-dir and ${flags.path === undefined ? '--brokers' : '--path'} are both given`,
    {
      hint: 'state is read from the folder, or from the log: leave one of them out',
    },
  );
}

async function list({ output }: Context, state: StoredState, flags: Flags): Promise<void> {
  const rows = state.stores().map(({ name, partitions, writtenBy }) => {
    let entries = 0;
    let bytes = 0;
    for (const { key, value } of state.bytes(name)) {
      entries += 1;
      bytes += key.length + value.length;
    }
    return { store: name, partitions: partitions.length, entries, bytes, writtenBy: writtenBy ?? null };
  });
  output.say(`application ${state.applicationId} ${state.active ? 'is running' : 'is not running'}`);
  if (rows.length === 0) output.say('it keeps no state');
  await writeRows(output, rows, ['store', 'partitions', 'entries', 'bytes', 'writtenBy'], flags.json === true);
}

async function get(context: Context, state: StoredState, store: string, key: string, flags: Flags): Promise<void> {
  checkStore(state, store);
  const wanted = keyOf(key, flags.keySerde ?? 'string');
  const rows = flags.with === undefined ? rawRows(state, store, key) : rowsOfKey(state.store(store), wanted);
  const count = await print(context, rows, flags, Number.POSITIVE_INFINITY);
  if (count > 0) return;
  // Without the pipeline nobody knows: keys of windows, and those of other serdes, hold more than the text.
  const known = flags.with !== undefined;
  throw new ExitError(1, known ? `store ${store} has nothing for ${key}` : unreadable(store, `is the text ${key}`));
}

async function scan(context: Context, state: StoredState, store: string, flags: Flags): Promise<void> {
  checkStore(state, store);
  const rows = flags.with === undefined ? rawRows(state, store) : decodedRows(state.store(store));
  const { num = 100, prefix } = flags;
  const count = await print(context, prefix === undefined ? rows : beginning(rows, prefix), flags, num);
  if (count === 0 && prefix !== undefined && flags.with === undefined)
    context.output.say(unreadable(store, `begins with the text ${prefix}`));
  if (count === num) context.output.say(`${num} entries; -n shows more, state export all of them`);
}

async function exportAll(context: Context, state: StoredState, stores: readonly string[], flags: Flags): Promise<void> {
  for (const store of stores) checkStore(state, store);
  const names = stores.length > 0 ? [...new Set(stores)] : state.stores().map(({ name }) => name);
  for (const store of names) {
    const rows = flags.with === undefined ? rawRows(state, store) : decodedRows(state.store(store));
    for (const row of rows) {
      await context.output.data(`${toJson({ store, ...row })}\n`);
      if (context.signal.aborted) return;
    }
  }
}

async function verify(context: Context, application: string, flags: Flags): Promise<void> {
  const { output } = context;
  let damage: Record<string, string | number | null>[];
  try {
    damage = await withState(context, application, undefined, flags, async (state) => {
      const found = state.verify();
      output.say(
        `${counted(found.entries, 'entry', 'entries')} of ${counted(state.stores().length, 'store')} ${found.entries === 1 ? 'was' : 'were'} read`,
      );
      return found.damage.map(({ partition, reason, store }) => ({
        store: store ?? null,
        partition: partition ?? null,
        reason,
      }));
    });
  } catch (error) {
    // The file is too damaged to open.
    const known = libraryError(error);
    if (known?.code !== 'ERR_CORRUPT_LOG') throw error;
    damage = [{ store: null, partition: null, reason: known.message }];
  }
  if (damage.length === 0) {
    output.say('all of it is as it was written');
    return;
  }
  await writeRows(output, damage, ['store', 'partition', 'reason'], flags.json === true);
  throw new ExitError(3, `${damage.length} ${damage.length === 1 ? 'part is' : 'parts are'} damaged`);
}

/** @throws ConfigError `ERR_UNKNOWN_STORE` with a similar name as suggestion */
function checkStore(state: StoredState, store: string): void {
  const names = state.stores().map(({ name }) => name);
  if (names.includes(store)) return;
  throw new ConfigError('ERR_UNKNOWN_STORE', `application ${state.applicationId} has nothing stored in ${store}`, {
    hint: names.length === 0 ? 'it keeps no state' : meant(store, names),
  });
}

/** What is said where keys are compared as bytes, and none was found. */
const unreadable = (store: string, wanted: string): string =>
  `no key of store ${store} ${wanted} – keys of windows and of serdes other than string() are compared only with the ` +
  'pipeline: add --with FILE';

/** An entry to print. */
type Row = Readonly<Record<string, unknown>>;

function* decodedRows(view: StoreView<unknown, unknown>): Generator<Row> {
  for (const row of view.entries()) yield rowOf(row);
}

function* rowsOfKey(view: StoreView<unknown, unknown>, key: unknown): Generator<Row> {
  for (const row of found(view, key)) yield rowOf(row);
}

/** The entries of a store for a key, for every kind of store. */
function found(view: StoreView<unknown, unknown>, key: unknown): Iterable<StoredRow<unknown, unknown>> {
  try {
    return [...view.windowsOf(key)];
  } catch (error) {
    if (!isWrongKind(error)) throw error;
  }
  try {
    const row = view.get(key);
    return row === undefined ? [] : [row];
  } catch (error) {
    if (!isWrongKind(error)) throw error;
  }
  const text = toJson(key);
  return [...view.entries()].filter((row) => toJson(row.key) === text);
}

const isWrongKind = (error: unknown): boolean => libraryError(error)?.code === 'ERR_OPTION';

const rowOf = ({ key, timestamp, value, window }: StoredRow<unknown, unknown>): Row => ({
  key,
  ...(window === undefined ? {} : { window: { start: window.start, end: window.end } }),
  value,
  timestamp,
});

/** Entries as bytes; optionally of one key, for stores whose keys are only the record keys. */
function* rawRows(state: StoredState, store: string, wanted?: string): Generator<Row> {
  for (const { key, partition, value } of state.bytes(store)) {
    const text = textOf(key);
    if (wanted !== undefined && text !== wanted) continue;
    yield { partition, ...encoded('key', key), value: toBase64(value), valueEncoding: 'base64' };
  }
}

function encoded(name: string, bytes: Uint8Array): Row {
  const text = textOf(bytes);
  return text === undefined ? { [name]: toBase64(bytes), [`${name}Encoding`]: 'base64' } : { [name]: text };
}

function* beginning(rows: Iterable<Row>, prefix: string): Generator<Row> {
  for (const row of rows) {
    if ('keyEncoding' in row) continue;
    const key = typeof row['key'] === 'string' ? row['key'] : toJson(row['key']);
    if (key.startsWith(prefix)) yield row;
  }
}

/** @returns How many were printed. */
async function print({ output, signal }: Context, rows: Iterable<Row>, flags: Flags, most: number): Promise<number> {
  const people: Record<string, string>[] = [];
  let count = 0;
  for (const row of rows) {
    if (count >= most || signal.aborted) break;
    count += 1;
    if (flags.json === true || !output.tty) await output.data(`${toJson(row)}\n`);
    else people.push(shownRow(row));
  }
  if (people.length > 0) await output.data(`${table(people, Object.keys(people[0] as object))}\n`);
  return count;
}

function shownRow(row: Row): Record<string, string> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name === 'timestamp') return [name, isoOf(value as number)];
      if (name === 'window') {
        const { end, start } = value as { start: number; end: number };
        return [name, `${isoOf(start)} to ${isoOf(end)}`];
      }
      return [name, typeof value === 'string' ? value : toJson(value)];
    }),
  );
}

/** @throws ConfigError `ERR_OPTION` */
function keyOf(text: string, form: KeyForm): unknown {
  try {
    if (form === 'string') return text;
    if (form === 'bigint') return BigInt(text);
    if (form === 'json') return JSON.parse(text);
    const number = Number(text);
    if (text.trim() !== '' && !Number.isNaN(number)) return number;
  } catch {
    // Reported below.
  }
  throw new ConfigError(
    'ERR_OPTION',
    `the key ${JSON.stringify(text)} is not ${form === 'json' ? 'JSON' : `a ${form}`}`,
    {
      hint: `--key-serde takes ${KEY_FORMS.join(', ')}`,
    },
  );
}
