/** Which records of one side alone give a row: none, those of the left side, those of both. @public */
export type JoinType = 'inner' | 'left' | 'outer';

/** Pairs have one key, and `left.t − beforeMs <= right.t <= left.t + afterMs`. Times are milliseconds. */
export interface JoinRules {
  readonly type: JoinType;
  /** Negative where partners on the right are later than the left record by at least so much. */
  readonly beforeMs: number;
  /** Negative where partners on the right are earlier by at least so much. */
  readonly afterMs: number;
  readonly graceMs: number;
}

/** The rules as one side sees them; `t` is the time of one of its records. */
export interface SideRules {
  /** Partners are at `[t − backMs, t + aheadMs]`. */
  readonly backMs: number;
  readonly aheadMs: number;
  /** Late when stream time is beyond `t + lateMs`. */
  readonly lateMs: number;
  /** No partner will come when stream time is beyond `t + finalMs`. */
  readonly finalMs: number;
  /** The last partner that is not late finds it as long as stream time is not beyond `t + keepMs`. */
  readonly keepMs: number;
  /** A record without a partner gives a row. */
  readonly pads: boolean;
}

/** The rules of the left side and of the right side. */
export function sidesOf({ afterMs, beforeMs, graceMs, type }: JoinRules): { left: SideRules; right: SideRules } {
  return {
    left: sideOf(beforeMs, afterMs, graceMs, type !== 'inner'),
    right: sideOf(afterMs, beforeMs, graceMs, type === 'outer'),
  };
}

/**
 * A record that is as new as stream time is never late, also where all of its partners must be older than it: its window has
 * ended before it comes then, and it is final at once.
 */
function sideOf(backMs: number, aheadMs: number, graceMs: number, pads: boolean): SideRules {
  return {
    backMs,
    aheadMs,
    lateMs: Math.max(0, aheadMs) + graceMs,
    finalMs: aheadMs + graceMs,
    keepMs: aheadMs + Math.max(0, backMs) + graceMs,
    pads,
  };
}
