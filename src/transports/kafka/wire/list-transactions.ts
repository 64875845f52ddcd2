import type { Api } from './api.ts';

export interface ListedTransactions {
  readonly errorCode: number;
  readonly transactionalIds: readonly string[];
}

/** The transactions in given states that one broker coordinates, those of them that the user may see. */
export const listTransactionsApi: Api<{ readonly states: readonly string[] }, ListedTransactions> = {
  name: 'ListTransactions',
  key: 66,
  version: 0,
  flexible: true,
  // Of all producers.
  encode: (writer, { states }) =>
    writer
      .compactArray(states, (state) => writer.compactString(state))
      .compactArray([], () => undefined)
      .tags(),
  decode: (reader) => {
    reader.int32();
    const errorCode = reader.int16();
    // States that the broker does not know.
    reader.compactArray(() => reader.compactString());
    const transactionalIds = reader.compactArray(() => {
      const id = reader.compactString();
      // The producer, and the state.
      reader.int64();
      reader.compactString();
      reader.tags();
      return id;
    });
    return { errorCode, transactionalIds };
  },
};
