/** Which records without a partner emit a row: none, those of the left side, those of both sides. @public */
export type JoinType = 'inner' | 'left' | 'outer';

/**
 * Records form a pair if they have the same key and `left.t − beforeMs <= right.t <= left.t + afterMs`. Times are in
 * ms.
 */
export interface JoinRules {
  readonly type: JoinType;
  /** Negative if partners on the right are at least that much later than the left record. */
  readonly beforeMs: number;
  /** Negative if partners on the right are at least that much earlier. */
  readonly afterMs: number;
  readonly graceMs: number;
}

/** The rules from the perspective of one side; `t` is the time of one of its records. */
export interface SideRules {
  /** Partners are at `[t − backMs, t + aheadMs]`. */
  readonly backMs: number;
  readonly aheadMs: number;
  /** A record is late if stream time is beyond `t + lateMs`. */
  readonly lateMs: number;
  /** No partner can arrive once stream time is beyond `t + finalMs`. */
  readonly finalMs: number;
  /**
   * A record must be kept until stream time is beyond `t + keepMs`, so that the last partner that is not late can find
   * it.
   */
  readonly keepMs: number;
  /** Whether a record without a partner emits a row. */
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
 * A record that is as new as stream time is never late. If all of its partners must be older than it, its window has
 * already ended when it arrives, and it is final at once.
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
