/**
 * Identifies the writer of a changelog record by the generation of the group in which its task was owned. A later owner
 * has a higher number. It is stored in the timestamp of the record, which has no other meaning in a changelog: so it
 * costs no bytes, survives compaction, and can be read from each record alone.
 *
 * A group that was deleted and recreated counts its generations from 1 again. The number of such lives is stored above
 * the generation, so that the order is preserved. A static member that is started again comes back to the generation
 * that it had: how often is stored below the generation. Earlier versions stored nothing below it, so their numbers are
 * lower.
 */
export type ChangelogWriter = number;

/**
 * The writer of a record that does not name it: written by an earlier version, or with a timestamp set by the broker.
 */
export const UNSAID: ChangelogWriter = 0;

const LIFE = 2 ** 32;
const GENERATION = 2 ** 8;
/** Numbers end where real timestamps begin (2004), and no group has 256 lives. */
const END = 2 ** 40;
/** From here on, a life is only counted for a group that has certainly been deleted. */
const SPARE_LIVES = 128;

/** The writer that a timestamp names. */
export function writerOf(timestamp: number): ChangelogWriter {
  return timestamp > 0 && timestamp < END ? timestamp : UNSAID;
}

/** The writer of a generation, given the last known writer. */
export function writerAfter(last: ChangelogWriter, generation: number): ChangelogWriter {
  if (generation <= 0) return UNSAID;
  if (isIn(last, generation)) return last;
  const life = Math.floor(last / LIFE);
  const place = generation * GENERATION;
  const next = (place < last % LIFE ? life + 1 : life) * LIFE + place;
  return place < LIFE && next < END ? next : UNSAID;
}

/** The group's generation of a writer. */
export function generationOf(writer: ChangelogWriter): number {
  const place = writer % LIFE;
  return place < GENERATION ? place : Math.floor(place / GENERATION);
}

/** Whether these are one writer, or may be, in two changelogs that count the lives of the group differently. */
export function mayBeOne(one: ChangelogWriter, other: ChangelogWriter): boolean {
  return one === UNSAID || other === UNSAID || one % LIFE === other % LIFE;
}

function isIn(writer: ChangelogWriter, generation: number): boolean {
  return Math.floor((writer % LIFE) / GENERATION) === generation;
}

/** Names the writer of all changelogs of a task in this process, from what a restore has found there. */
export class TaskWriter {
  /** The latest writer of any of the changelogs. */
  latest: ChangelogWriter;
  #begins = true;
  readonly #isUnknown: boolean;

  /**
   * @param isUnknown - Whether the group has no offsets of the task: it may have been deleted since the latest writer. Then a
   * life is counted, because what another owner has written since may still be on its way.
   */
  constructor(latest: ChangelogWriter, isUnknown: boolean) {
    this.latest = latest;
    this.#isUnknown = isUnknown;
  }

  /** The writer of the next records. */
  in(generation: number): ChangelogWriter {
    const writer = this.#begins ? this.#first(generation) : writerAfter(this.latest, generation);
    this.#begins = false;
    this.latest = Math.max(this.latest, writer);
    return writer;
  }

  #first(generation: number): ChangelogWriter {
    const { latest } = this;
    // Another process may have written in this generation.
    const comesBack = isIn(latest, generation) && latest % GENERATION < GENERATION - 1;
    const countsLife = this.#isUnknown && latest !== UNSAID && latest < SPARE_LIVES * LIFE;
    if (!countsLife) return comesBack ? latest + 1 : writerAfter(latest, generation);
    const begun = comesBack ? (latest % LIFE) + 1 : writerAfter(UNSAID, generation);
    return begun === UNSAID ? UNSAID : Math.floor(latest / LIFE) * LIFE + LIFE + begun;
  }
}
