/** A line of a diagram by what happens in each of its steps. */
export interface DrawnLine {
  readonly name: string;
  readonly steps: readonly string[];
}

/** How wide the steps of some lines are. */
export function widthsOf(lines: readonly DrawnLine[]): number[] {
  const widths: number[] = [];
  for (const { steps } of lines) {
    steps.forEach((text, at) => {
      widths[at] = Math.max(widths[at] ?? 1, text.length);
    });
  }
  return widths;
}

/** The lines of a diagram, the steps of all of them one below the other. */
export function drawn(lines: readonly DrawnLine[], widths: readonly number[] = widthsOf(lines)): string {
  const longest = Math.max(...lines.map(({ name }) => name.length));
  return lines
    .map(({ name, steps }) => {
      const cells = widths.map((width, at) => (steps[at] ?? '').padEnd(width, '-')).join('--');
      return `${name.padEnd(longest)}  --${cells}--`;
    })
    .join('\n');
}
