/** Where our contract differs from the recorded rows on purpose: the tags, with the rule that decides. */
export const warts: Readonly<Record<string, string>> = {
  'wart:null-value-in-window': 'null values are dropped in every windowed aggregation and move no time (TM-10)',
  'wart:final-row-lost': 'every closed window is emitted, however far one record moves time (EM-2)',
  'wart:grace-join-null-key': 'a record without a key is combined with null at once, also where others wait (TM-9)',
  'wart:join-late-record': 'a record whose join window is closed on arrival is dropped (JS-4)',
  'wart:join-early-null-pad': 'no row without a partner comes before grace has passed (JS-5)',
  'wart:join-delayed-null-pad':
    'a row without a partner comes with the first record beyond its window and grace (JS-6)',
  'wart:join-store-edge': 'partners are seen up to the edge of their window, the edge included (JS-7)',
  'wart:join-null-moves-time': 'records without a key or value move no time (TM-2)',
  'wart:self-join-order': 'the rows of a self-join come in the order of the join of two copies (JS-8)',
  'wart:cogroup-time-per-input': 'one stream time per operator, over all its inputs (TM-2, AG-2)',
  'wart:session-retention': 'an open session is always found (SE-6)',
  'wart:session-revived': 'a closed session is never joined again (SE-6)',
  'wart:sliding-late-seed': 'a window holds every accepted record of its span (SL-3)',
  'wart:sliding-double-drop': 'a record misses a window once (SL-5)',
  'wart:duplicate-row': 'one row per changed window and record (SL-3)',
  'wart:sliding-zero-difference': 'a difference of 0 makes windows of equal timestamps (SL-1)',
  'wart:suppress-inclusive-edge':
    'rows of sliding windows and sessions go on when these have closed, a millisecond later, once (SU-1)',
  'wart:redundant-tombstone': 'no tombstone comes for a row that is not there (TT-3)',
  'wart:versioned-tombstone-lost': 'the later put with the same timestamp replaces, a tombstone too (SS-3)',
};
