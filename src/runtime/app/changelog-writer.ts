/**
 * Who wrote a record of a changelog: the generation of the group in which its task was owned. A later owner has a higher
 * number. It stands where the timestamp of the record is, which means nothing in a changelog: so it costs no bytes, stays
 * with a record through compaction, and can be read of each record alone.
 *
 * A group that was deleted and made anew counts its generations from 1 again. The number of such lives stands above the
 * generation, so that order stays.
 */
export type ChangelogWriter = number;

/** The writer of a record that does not say: one of an earlier version, or one that a broker has put its own time on. */
export const UNSAID: ChangelogWriter = 0;

const GENERATIONS = 2 ** 32;
/** Numbers end where times of the clock begin (2004), and 256 lives of a group are more than any has. */
const END = 2 ** 40;

/** The writer that a timestamp names. */
export function writerOf(timestamp: number): ChangelogWriter {
  return timestamp > 0 && timestamp < END ? timestamp : UNSAID;
}

/** Who writes in a generation after the writer that was seen last. */
export function writerAfter(last: ChangelogWriter, generation: number): ChangelogWriter {
  if (generation <= 0) return UNSAID;
  const life = Math.floor(last / GENERATIONS);
  const next = (generation < last % GENERATIONS ? life + 1 : life) * GENERATIONS + generation;
  return next < END ? next : UNSAID;
}

/** The generation of a writer, as the group counts. */
export function generationOf(writer: ChangelogWriter): number {
  return writer % GENERATIONS;
}
