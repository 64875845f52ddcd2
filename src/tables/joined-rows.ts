import type { Serde } from '../serdes/serde.ts';

/** How the rows of a join are kept. */
export interface JoinedRows<W> {
  /** Their store. */
  readonly name: string;
  /** Whether a left row without a right row is in the result. */
  readonly isLeft: boolean;
  readonly value: Serde<NonNullable<W>> | undefined;
}
