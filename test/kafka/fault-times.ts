/** How long it took to go on after faults, by their kind, and what the application said meanwhile. */
export class FaultTimes {
  readonly #times = new Map<string, number[]>();
  readonly #said = new Map<string, Map<string, number>>();

  add(fault: string, ms: number, said: readonly string[]): void {
    this.#times.set(fault, [...(this.#times.get(fault) ?? []), ms]);
    const counts = this.#said.get(fault) ?? new Map<string, number>();
    this.#said.set(fault, counts);
    const reasons = new Set(said.map((reason) => reason.replaceAll(/\d+/g, '#')));
    if (reasons.size === 0) reasons.add('(nothing)');
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** One line per kind of fault, and below it what was said in how many of its rounds. */
  table(): string {
    const lines = ['fault'.padEnd(48) + 'rounds  median ms   max ms'];
    for (const [fault, times] of this.#times) {
      const sorted = times.toSorted((a, b) => a - b);
      const middle = sorted[Math.floor(sorted.length / 2)]!;
      const cells = [sorted.length, middle, sorted[sorted.length - 1]!].map((cell) => String(Math.round(cell)));
      lines.push(fault.padEnd(48) + `${cells[0]!.padStart(6)} ${cells[1]!.padStart(10)} ${cells[2]!.padStart(8)}`);
      const said = [...(this.#said.get(fault) ?? [])].sort(([, a], [, b]) => b - a);
      for (const [reason, rounds] of said) lines.push(`    in ${rounds}: ${reason}`);
    }
    return lines.join('\n');
  }
}
