import type { Mutant } from './mutant.ts';

const letters = 'src/letters/replay-letters.test.ts';
const dashboard = 'test/dashboard/server.test.ts';
const client = 'test/client/memory.test.ts';

/** Faults of the client, of dead letters and of what a page may do. */
export const clientMutants: readonly Mutant[] = [
  {
    name: 'refused-letter-counts-as-replayed',
    fault: 'a letter whose record was refused by its topic is noted as replayed, and never offered again',
    file: 'src/letters/replay-letters.ts',
    text: 'const written = sendings.filter((_, at) => isWritten(sent[at]));',
    instead: 'const written = [...sendings];',
    caughtBy: [{ file: letters, test: 'writes what its topic takes, also where it refuses another one' }],
  },
  {
    name: 'letters-replayed-by-two',
    fault: 'two replays of one topic work at the same time, and each letter is written twice',
    file: 'src/letters/replayed-letters.ts',
    text: 'if (this.#turn.isOwn) return;\n    throw',
    instead: 'if (this.#turn !== undefined) return;\n    throw',
    caughtBy: [
      { file: letters, test: 'lets one replay at a time, and whoever comes second knows what the first one did' },
    ],
  },
  {
    name: 'letter-of-an-earlier-topic',
    fault: 'a letter is taken for replayed because an earlier topic had another one at its offset',
    file: 'src/letters/replayed-letters.ts',
    text: 'return [partition, offset, timestamp];',
    instead: 'return [partition, offset, 0 * timestamp];',
    caughtBy: [{ file: letters, test: 'takes letters of another topic with the name for other ones' }],
  },
  {
    name: 'replayed-somewhere',
    fault: 'a letter that was replayed to one topic counts as replayed to every other one',
    file: 'src/letters/replayed-letters.ts',
    text: 'return this.#known.get(markOf(letter).join())?.has(to) === true;',
    instead: 'return this.#known.has(markOf(letter).join()) || to === undefined;',
    caughtBy: [{ file: letters, test: 'knows to which topic a record was written: to another one it goes too' }],
  },
  {
    name: 'page-replays-any-record',
    fault: 'a page writes records of topics again that are not for dead letters',
    file: 'src/dashboard/letters.ts',
    text: 'const found = this.topics.includes(name) ? await letterAt(client, name, request) : undefined;',
    instead: 'const found = await letterAt(client, name, request);',
    caughtBy: [
      {
        file: dashboard,
        test: 'lists dead letters, and with a token replays them, once unless it is asked to do it again',
      },
    ],
  },
  {
    name: 'form-of-another-site-acts',
    fault: 'a page of another site can send what changes something',
    file: 'src/dashboard/guard.ts',
    text: "if (request.headers[ACTION_HEADER] !== '1')",
    instead: "if (request.headers[ACTION_HEADER] === '0')",
    caughtBy: [{ file: dashboard, test: 'from another site is refused, whether it reads or acts' }],
  },
  {
    name: 'place-of-the-first',
    fault: 'records that are published together are told the place of the first one of their batch',
    file: 'src/client/publish/round.ts',
    text: 'published.offset = offsetOf(result, index);',
    instead: 'published.offset = offsetOf(result, 0);',
    caughtBy: [{ file: client, test: 'cuts a large write into batches that the topic takes' }],
  },
  {
    name: 'delivered-counts-as-processed',
    fault: 'a member of a group commits a record while it is being processed',
    file: 'src/client/read/record-reader.ts',
    text: `      input.advance();
      this.#last = input;`,
    instead: `      input.advance();
      this.#settle(input);
      this.#last = input;`,
    caughtBy: [
      { file: client, test: 'does not commit a record whose processing failed, nor the one at which a loop was left' },
    ],
  },
];
