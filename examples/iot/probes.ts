import { seeded } from '../shared/random.ts';

/** Start of the readings: six in the morning, 1 July 2024, UTC. */
const START = Date.UTC(2024, 6, 1, 6);
/** One hour of readings. */
const LENGTH_MS = 3_600_000;

export interface ProbeRecord {
  /** The probe: `cold-room-01`. */
  readonly key: string;
  readonly timestamp: number;
  readonly value: { readonly celsius: number };
}

/**
 * Readings of cold rooms, about every ten seconds, in order of time. Now and then a probe is silent for a while, and now and
 * then somebody leaves a door open: it gets warmer by two or three degrees a minute, and cools down slowly afterwards.
 */
export function generateReadings(probes: number, seed: number): ProbeRecord[] {
  const random = seeded(seed);
  const readings: ProbeRecord[] = [];
  for (let n = 1; n <= probes; n += 1) {
    const key = `cold-room-${String(n).padStart(2, '0')}`;
    let celsius = -18;
    let time = START + Math.floor(random() * 10_000);
    let openUntil = 0;
    while (time < START + LENGTH_MS) {
      readings.push({ key, timestamp: time, value: { celsius: Number(celsius.toFixed(1)) } });
      const silent = random() < 1 / 120;
      const pause = 7_000 + Math.floor(random() * 6_000) + (silent ? 20_000 + Math.floor(random() * 300_000) : 0);
      if (random() < 1 / 90) openUntil = time + 60_000 + random() * 120_000;
      const perMinute = time < openUntil ? 2 + random() : (-18 - celsius) / 4;
      celsius += (perMinute * pause) / 60_000 + (random() - 0.5) / 5;
      time += pause;
    }
  }
  return readings.sort((a, b) => a.timestamp - b.timestamp);
}
