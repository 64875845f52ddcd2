/** A line of a diagram, as the texts of its steps. */
export interface DrawnLine {
  readonly name: string;
  readonly steps: readonly string[];
}

/** The widths of the steps over some lines. */
export function widthsOf(lines: readonly DrawnLine[]): number[] {
  const widths: number[] = [];
  for (const { steps } of lines) {
    steps.forEach((text, at) => {
      widths[at] = Math.max(widths[at] ?? 1, text.length);
    });
  }
  return widths;
}

/** The lines of a diagram with aligned steps. */
export function drawn(lines: readonly DrawnLine[], widths: readonly number[] = widthsOf(lines)): string {
  const longest = Math.max(...lines.map(({ name }) => name.length));
  return lines
    .map(({ name, steps }) => {
      const cells = widths.map((width, at) => (steps[at] ?? '').padEnd(width, '-')).join('--');
      return `${name.padEnd(longest)}  --${cells}--`;
    })
    .join('\n');
}
