/**
 * Identifies the writer of a changelog record by the generation of the group in which its task was owned. A later owner
 * has a higher number. It is stored in the timestamp of the record, which has no other meaning in a changelog: so it
 * costs no bytes, survives compaction, and can be read from each record alone.
 *
 * A group that was deleted and recreated counts its generations from 1 again. The number of such lives is stored above
 * the generation, so that the order is preserved.
 */
export type ChangelogWriter = number;

/**
 * The writer of a record that does not name it: written by an earlier version, or with a timestamp set by the broker.
 */
export const UNSAID: ChangelogWriter = 0;

const GENERATIONS = 2 ** 32;
/** Numbers end where real timestamps begin (2004), and no group has 256 lives. */
const END = 2 ** 40;

/** The writer that a timestamp names. */
export function writerOf(timestamp: number): ChangelogWriter {
  return timestamp > 0 && timestamp < END ? timestamp : UNSAID;
}

/** The writer of a generation, given the last known writer. */
export function writerAfter(last: ChangelogWriter, generation: number): ChangelogWriter {
  if (generation <= 0) return UNSAID;
  const life = Math.floor(last / GENERATIONS);
  const next = (generation < last % GENERATIONS ? life + 1 : life) * GENERATIONS + generation;
  return next < END ? next : UNSAID;
}

/** The group's generation of a writer. */
export function generationOf(writer: ChangelogWriter): number {
  return writer % GENERATIONS;
}
