import type { Transport } from '../../log/transport.ts';

/** The transport of an embedded log, with its additional features. @public */
export interface EmbeddedLogTransport extends Transport {
  /**
   * Applies retention and compaction now. @param options - `now` in ms since the epoch; `force` also compacts where
   * little has changed.
   */
  maintain(options?: { readonly now?: number; readonly force?: boolean }): Promise<void>;
}
