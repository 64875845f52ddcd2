import { fileURLToPath } from 'node:url';
import { bytes, connect, deadLetter, memoryTransport, run, topic } from 'millrace';
import { readAirports } from '../examples/flights/airports.ts';
import { airports, flights, pipeline } from '../examples/flights/pipeline.ts';
import { openFlights } from '../examples/flights/source.ts';
import { chromiumPath, launch } from '../test/dashboard/chromium.ts';

/**
 * Draws the pictures of the dashboard in `docs/dashboard` anew, of the flights demo as it runs. A browser is needed.
 */
const FOLDER = fileURLToPath(new URL('../docs/dashboard', import.meta.url));
const TOKEN = 'a-token-of-sixteen-or-more';
const RUN_MS = 25_000;

const chromium = chromiumPath();
if (chromium === undefined) throw new Error('there is no chromium: apt-get install chromium, or name one in CHROMIUM');

const transport = memoryTransport();
const client = await connect({ transport });
const app = run(pipeline, {
  applicationId: 'flights',
  transport,
  dashboard: { port: 0, token: TOKEN },
  onRecordError: deadLetter('bad-flights'),
});
const url = (await app.dashboard)?.url ?? '';
await app.ready;
const rows = [...(await readAirports())].map(([key, value]) => ({ key, value, timestamp: 0 }));
await client.publishAll(airports, rows);
const raw = topic('flights', { value: bytes(), partitions: 1 });
for (const text of ['{"origin":"SFO","destination":"LAX","delay":"late"}', '{"origin":"SFO","destin']) {
  await client.publish(raw, { value: new TextEncoder().encode(text), timestamp: Date.now() - 48 * 3_600_000 });
}
const source = await openFlights('flights-2k.json');
const until = Date.now() + RUN_MS;
const feeding = new AbortController();
/** Two days of flights, up to now, so that windows close. */
let time = Date.now() - 48 * 3_600_000;
const STEP_MS = 7000;
const fed = (async () => {
  while (!feeding.signal.aborted) {
    for await (const chunk of source.chunks(0)) {
      for (let at = 0; at < chunk.length && !feeding.signal.aborted; at += 40) {
        const part = chunk.slice(at, at + 40);
        await client.publishAll(
          flights,
          part.map((flight) => ({ ...flight, timestamp: Math.min((time += STEP_MS), Date.now()) })),
        );
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    }
  }
})();

const browser = await launch(chromium);
const page = await browser.newPage({ viewport: { width: 1400, height: 960 }, colorScheme: 'light' });
await page.goto(`${url}?token=${TOKEN}`);
const picture = (name: string): Promise<unknown> => page.screenshot({ path: `${FOLDER}/${name}.png` });
const show = async (view: string): Promise<void> => {
  await page.goto(`${url}#${view}`);
  await page.locator('main h2').first().waitFor();
};

await show('letters');
await page.getByRole('button', { name: 'refresh' }).click();
await page.locator('tbody tr').nth(1).getByRole('button', { name: 'replay' }).click();
await page.getByText(/replayed to flights/).waitFor();
await page.waitForTimeout(Math.max(0, until - Date.now()));
await picture('letters');
await show('state');
await page.getByLabel('store').selectOption('delays-per-hour');
await page.getByRole('searchbox', { name: 'key' }).fill('');
await page.getByRole('button', { name: 'look up' }).click();
await page.locator('tbody td').first().waitFor();
await picture('state');
await show('runtime');
await page.getByText('fetch from the log').first().waitFor();
await picture('runtime');
await show('topology');
await page.locator('.node.step').first().waitFor();
await picture('topology');

feeding.abort();
await fed;
await browser.close();
await app.stop();
await client.close();
