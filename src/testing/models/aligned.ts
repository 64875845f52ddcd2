import type { Window } from '../../record.ts';
import type { AlignedWindower, PeriodicWindower, UnlimitedWindower } from '../../windows/windower.ts';
import { type Arrival, byKey, folded, type ModelFold, type ModelOutput, nameOf, sameKey } from './model.ts';
import type { WindowRules } from './window-by.ts';

/** A record in one of its windows. */
interface Placed<K, V> extends Arrival<K, V> {
  readonly window: Window;
}

/**
 * Tumbling, hopping, calendar, cumulating and unlimited windows: keeps every accepted record and refolds all records of
 * a window for each of its rows.
 */
export class AlignedRules<K, V, A, R> implements WindowRules<K, V, R> {
  dropped = 0;
  late = 0;
  readonly #windower: PeriodicWindower | AlignedWindower | UnlimitedWindower;
  readonly #fold: ModelFold<V, A, R>;
  readonly #placed: Placed<K, V>[] = [];
  readonly #emitted = new Set<string>();
  #streamTime = -1;

  constructor(windower: PeriodicWindower | AlignedWindower | UnlimitedWindower, fold: ModelFold<V, A, R>) {
    this.#windower = windower;
    this.#fold = fold;
  }

  add(arrival: Arrival<K, V>): ModelOutput<K, R>[] {
    const windows = windowsOf(this.#windower, arrival.timestamp);
    if (windows.length === 0) {
      // It is in no window. Records before the start of an unlimited window are ignored and not counted.
      if (this.#windower.kind === 'aligned') this.dropped += 1;
      return [];
    }
    this.#streamTime = Math.max(this.#streamTime, arrival.timestamp);
    return windows.flatMap((window) => {
      if (this.#isClosed(window)) {
        this.late += 1;
        return [];
      }
      this.#placed.push({ ...arrival, window });
      return [this.#rowOf(arrival.key, window)];
    });
  }

  closed(): ModelOutput<K, R>[] {
    const fresh = this.#rows((window) => this.#isClosed(window)).filter((row) => !this.#emitted.has(placeOf(row)));
    for (const row of fresh) this.#emitted.add(placeOf(row));
    return fresh;
  }

  open(): ModelOutput<K, R>[] {
    return this.#rows((window) => !this.#isClosed(window));
  }

  end(): void {
    if (this.#windower.kind !== 'unlimited') this.#streamTime = Number.POSITIVE_INFINITY;
  }

  #isClosed({ end }: Window): boolean {
    return end + this.#windower.graceMs <= this.#streamTime;
  }

  #rowOf(key: NonNullable<K>, window: Window): ModelOutput<K, R> {
    const { end, start } = window;
    const inside = this.#placed.filter(
      (each) => sameKey(each.key, key) && each.window.start === start && each.window.end === end,
    );
    return { key, ...folded(this.#fold, inside), window };
  }

  /** By start, then by end, then by key. */
  #rows(which: (window: Window) => boolean): ModelOutput<K, R>[] {
    const places = [...new Map(this.#placed.map((each) => [placeOf(each), each])).values()];
    return places
      .filter(({ window }) => which(window))
      .sort(
        (one, other) => one.window.start - other.window.start || one.window.end - other.window.end || byKey(one, other),
      )
      .map(({ key, window }) => this.#rowOf(key, window))
      .filter(({ value }) => value !== null);
  }
}

/** Every window that holds a time, by start. */
function windowsOf(
  windower: PeriodicWindower | AlignedWindower | UnlimitedWindower,
  timestamp: number,
): readonly Window[] {
  if (windower.kind === 'aligned') return windower.windowsOf(timestamp);
  if (windower.kind === 'unlimited') {
    const { startMs: start } = windower;
    return timestamp < start ? [] : [{ start, end: Number.POSITIVE_INFINITY }];
  }
  const { advanceMs, sizeMs } = windower;
  const windows: Window[] = [];
  const last = Math.floor(timestamp / advanceMs) * advanceMs;
  for (let start = last; start >= 0 && start + sizeMs > timestamp; start -= advanceMs) {
    windows.unshift({ start, end: start + sizeMs });
  }
  return windows;
}

function placeOf({ key, window }: { readonly key: unknown; readonly window?: Window }): string {
  return `${window?.start} ${window?.end} ${nameOf(key)}`;
}
