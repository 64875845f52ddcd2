import { type HeldRecord, heldForm, type ValueForm } from '../state/held-record.ts';
import { msgpackCodec, type ValueCodec } from '../state/value-codec.ts';

/** A span of the records of one key, with the record that is held back, if any. Times are those of records. */
export interface Spell {
  readonly start: number;
  readonly end: number;
  readonly held: HeldRecord | undefined;
}

/** The spells of one key, sorted by start. */
export type Spells = readonly Spell[];

export const NO_SPELLS: Spells = [];

type Stored = readonly (readonly [start: number, end: number, held: ReturnType<Form['pack']> | null])[];
type Form = ReturnType<typeof heldForm>;

/** How the spells of a key are stored. @param values - How the values of held records are stored. */
export function spellsCodec(values: ValueForm, store: string): ValueCodec<Spells> {
  const codec = msgpackCodec<Stored>(store);
  const { pack, unpack } = heldForm(values);
  return {
    encode(spells, timestamp) {
      const stored = spells.map(
        ({ end, held, start }) => [start, end, held === undefined ? null : pack(held)] as const,
      );
      return codec.encode(stored, timestamp);
    },
    decode(bytes) {
      const { timestamp, value } = codec.decode(bytes);
      const spells = value.map(([start, end, held]) => {
        return { start, end, held: held === null ? undefined : unpack(held) };
      });
      return { timestamp, value: spells };
    },
  };
}

/** The spells with one more, inserted in order. */
export function withSpell(spells: Spells, spell: Spell): Spells {
  const at = spells.findIndex(({ start }) => start > spell.start);
  return at < 0 ? [...spells, spell] : [...spells.slice(0, at), spell, ...spells.slice(at)];
}
