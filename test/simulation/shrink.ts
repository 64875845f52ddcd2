import { type Outcome, simulate } from './simulation.ts';

/** Leaves out faults as long as it fails without them. @returns what is left, for people */
export async function shrink(failed: Outcome): Promise<string> {
  const { faults, on, seed } = failed.plan;
  const without = new Set<number>();
  let outcome = failed;
  for (let at = faults.length - 1; at >= 0; at--) {
    without.add(at);
    const attempt = await simulate(seed, { on, keeps: (_, fault) => !without.has(fault) });
    if (attempt.problems.length === 0) without.delete(at);
    else outcome = attempt;
  }
  const { faults: left, ...plan } = outcome.plan;
  return [
    `seed ${seed} failed: npm run simulate -- --seed ${seed} --on ${on}`,
    `  ${JSON.stringify(plan)}`,
    left.length === 0
      ? '  without any fault:'
      : `  with ${left.length} of ${faults.length} faults (--only ${faults.flatMap((_, at) => (without.has(at) ? [] : at)).join(',')}):`,
    ...left.map(({ at, forMs, kind, which }) => `    at ${at} ms: ${kind} (${which}) for ${forMs} ms`),
    ...outcome.problems.map((problem) => `  ${problem}`),
  ].join('\n');
}
