import type { Row } from '../format.ts';

/** What a case must give: rows per step, and where they are known the number of drops and the final store. */
export interface Expected {
  readonly steps: readonly (readonly Row[])[];
  /** The step that throws, the last one. */
  readonly throws?: number;
  readonly dropped?: number;
  /** Late records, where they are counted apart from those. */
  readonly late?: number;
  readonly store?: readonly Row[];
}
