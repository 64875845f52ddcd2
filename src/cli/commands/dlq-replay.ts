import type { Client } from '../../index.ts';
import { allLetters, type FoundLetter } from '../../letters/read-letters.ts';
import { LetterReplay, type Sending } from '../../letters/replay-letters.ts';
import { counted } from '../../options/counted.ts';
import type { Context } from '../context.ts';
import { ExitError, isAbort } from '../exit.ts';
import { writeRows } from '../output.ts';
import { existing } from '../topic-names.ts';

export interface ReplayFlags {
  readonly code?: string;
  readonly to?: string;
  readonly all?: boolean;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const REPLAY_HELP = `
Each record goes back to the topic and partition it came from, with its key, value, headers and timestamp, behind the records
already there. Replayed letters are noted in the topic TOPIC.replayed, by the dashboard too, so none is replayed twice to the
same topic; --all replays them again. One replay of a topic works at a time. A letter that was left out, for whatever reason,
can be replayed later.

Some letters are always left out, and counted: those that hold only part of their record, those of rows or of unreadable
batches, and those of records that a step has already counted and would count twice. With --to another topic, the last kind
is written too. After a crash a letter may be replayed twice.

  millrace dlq replay bad-orders
  millrace dlq replay bad-orders --execute`;

/** How many letters are written at a time. */
const AT_A_TIME = 256;
const BYTES_AT_A_TIME = 4 * 1024 * 1024;

/** `millrace dlq replay` */
export async function replay(context: Context, client: Client, topic: string, flags: ReplayFlags): Promise<void> {
  const { output, signal } = context;
  await existing(client, topic);
  if (flags.to !== undefined) await existing(client, flags.to);
  const execute = flags.execute === true || flags.yes === true;
  const letters = await LetterReplay.of(client, topic, { to: flags.to, again: flags.all === true });
  const counts = new Counts();
  let [waiting, bytes]: [Sending[], number] = [[], 0];
  const send = async (): Promise<void> => {
    if (execute && waiting.length > 0) {
      for (const [at, sent] of (await letters.send(waiting)).entries()) {
        const { to } = (waiting[at] as Sending).fate;
        if ('refused' in sent) counts.refused(to, sent.refused.message);
        else if ('leftOut' in sent) counts.leftOut(sent.code, sent.leftOut);
        else counts.written(to);
      }
    } else for (const { fate } of waiting) counts.written(fate.to);
    [waiting, bytes] = [[], 0];
  };
  const look = async (found: FoundLetter): Promise<void> => {
    if (flags.code !== undefined && found.letter.code !== flags.code) return;
    const fate = await letters.fateOf(found);
    if ('leftOut' in fate) counts.leftOut(fate.code, fate.leftOut);
    else {
      waiting.push({ found, fate });
      bytes += (found.record.value?.length ?? 0) + (found.record.key?.length ?? 0);
      if (waiting.length >= AT_A_TIME || bytes >= BYTES_AT_A_TIME) await send();
    }
  };
  const interrupted = await untilAborted(signal, async () => {
    try {
      for await (const found of allLetters(client, topic, signal)) await look(found);
      await send();
    } finally {
      await letters.end();
    }
  });
  await writeRows(output, counts.rows(), ['topic', 'records'], flags.json === true);
  for (const line of counts.told()) output.say(line);
  const { total } = counts;
  if (interrupted) {
    const done = execute
      ? `${counted(total, 'record')} replayed; the other letters can be replayed later`
      : 'nothing was done';
    throw new ExitError(context.signalled?.() ?? 1, `interrupted: ${done}`);
  }
  if (total === 0) output.say(`there is nothing to replay in ${topic}`);
  else if (execute) output.say(`${total} ${total === 1 ? 'record was' : 'records were'} replayed`);
  else output.say(`${total} ${total === 1 ? 'record' : 'records'} would be replayed; add --execute to do it`);
  if (counts.failed > 0) throw new ExitError(1, `${counted(counts.failed, 'letter')} could not be replayed`);
}

/** @returns Whether the signal ended the work. */
async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
    return true;
  }
  return false;
}

/** Counts the outcomes of letters. */
class Counts {
  failed = 0;
  total = 0;
  readonly #written = new Map<string, number>();
  readonly #left = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  #before = 0;

  written(to: string): void {
    this.total += 1;
    this.#written.set(to, (this.#written.get(to) ?? 0) + 1);
  }

  leftOut(code: string, why: string): void {
    if (code === 'ERR_REPLAYED') this.#before += 1;
    else this.#left.set(why, (this.#left.get(why) ?? 0) + 1);
  }

  refused(to: string, why: string): void {
    this.failed += 1;
    const line = `topic ${to} refuses: ${why}`;
    this.#refused.set(line, (this.#refused.get(line) ?? 0) + 1);
  }

  rows(): { readonly topic: string; readonly records: number }[] {
    return Array.from(this.#written, ([topic, records]) => ({ topic, records }));
  }

  *told(): Generator<string> {
    for (const [why, count] of this.#left) yield `${counted(count, 'letter')} ${why}: left out`;
    if (this.#before > 0)
      yield `${counted(this.#before, 'letter')} replayed before: left out; --all replays them again`;
    for (const [why, count] of this.#refused) yield `${counted(count, 'letter')} that ${why}`;
  }
}
