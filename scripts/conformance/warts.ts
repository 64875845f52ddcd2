/** Where our contract differs from the recorded rows on purpose: the tags, with the rule that decides. */
export const warts: Readonly<Record<string, string>> = {
  'wart:null-value-in-window': 'null values are dropped in every windowed aggregation and move no time (TM-10)',
  'wart:final-row-lost': 'every closed window is emitted, however far one record moves time (EM-2)',
  'wart:redundant-tombstone': 'no tombstone comes for a row that is not there (TT-3)',
  'wart:versioned-tombstone-lost': 'the later put with the same timestamp replaces, a tombstone too (SS-3)',
};
