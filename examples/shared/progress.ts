import { bar } from './chart.ts';
import { grouped, type Screen } from './terminal.ts';

/** Shows the progress of publishing, only on a terminal. */
export function showFeeding(screen: Screen, total: number): { show(count: number): void; erase(): void } {
  const write = (text: string): void => {
    if (screen.live) process.stderr.write(`\r\u001b[0K${text}`);
  };
  return {
    show: (count) =>
      write(`publishing ${bar(count / total, 30).padEnd(30, '·')} ${grouped(count)} of ${grouped(total)}`),
    erase: () => write(''),
  };
}
