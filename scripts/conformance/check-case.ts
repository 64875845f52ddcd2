import { difference } from './compare.ts';
import { subjectOf } from './families.ts';
import { type Case, NotImplemented } from './format.ts';
import type { Expected } from './models/expected.ts';
import { type Mode, singleRestarts } from './modes.ts';
import { type Outcome, type RunOptions, runCase } from './run-case.ts';
import { warts } from './warts.ts';

export type Verdict =
  | { readonly kind: 'not implemented'; readonly why: string }
  | {
      readonly kind: 'passed' | 'on purpose' | 'failed';
      /** The tags that explain a difference on purpose. */
      readonly tags: readonly string[];
      /** The modes that held. */
      readonly held: ReadonlySet<string>;
      /** Per mode that did not hold, what differs. */
      readonly problems: readonly { readonly mode: string; readonly lines: readonly string[] }[];
    };

type Differ = (expected: Expected, outcome: Outcome) => string[] | undefined;

let runs = 0;

/**
 * Runs a case in every mode. The plain run decides what counts: the recorded rows, or, in a case with a known tag that
 * differs from them, our contract's own rows by the model. All modes must then give just that.
 */
export function checkCase(family: string, entry: Case, modes: readonly Mode[]): Verdict {
  try {
    return check(family, entry, modes);
  } catch (error) {
    if (error instanceof NotImplemented) return { kind: 'not implemented', why: error.message };
    const lines = [`could not be run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
    return { kind: 'failed', tags: [], held: new Set(), problems: [{ mode: 'any', lines }] };
  }
}

function check(family: string, entry: Case, modes: readonly Mode[]): Verdict {
  const subject = subjectOf(family, entry);
  const differ: Differ = (expected, outcome) => difference(expected, outcome, subject.keysInAnyOrder);
  const build = (): ReturnType<typeof subject.pipeline> => subject.pipeline(entry.params);
  const run = (options: RunOptions): Outcome =>
    runCase(build(), entry.steps, { ...options, applicationId: `case-${(runs += 1)}` });

  const recorded = recordedRows(entry);
  const tags = (entry.tags ?? []).filter((tag) => warts[tag] !== undefined);
  const differs = differ(recorded, run({})) !== undefined;
  const onPurpose = differs && tags.length > 0;
  const inputs = entry.steps.map((step) => step.in);
  const expected = onPurpose ? subject.model(entry.params, inputs) : recorded;

  const held = new Set<string>();
  const problems: { mode: string; lines: readonly string[] }[] = [];
  for (const mode of modes) {
    const lines = fault(mode, entry, expected, run, differ);
    if (lines === undefined) held.add(mode.name);
    else problems.push({ mode: mode.name, lines });
  }
  const kind = problems.length > 0 ? 'failed' : onPurpose ? 'on purpose' : 'passed';
  return { kind, tags: onPurpose ? tags : [], held, problems };
}

/** What the case records. Where it ends in a throw, so must the run: which error it is does not count. */
function recordedRows({ dropped, steps, store }: Case): Expected {
  const throws = steps.findIndex(({ error }) => error !== undefined);
  const rows = { steps: steps.map(({ out }) => out) };
  if (throws >= 0) return { ...rows, throws };
  return {
    ...rows,
    ...(dropped === undefined ? {} : { dropped }),
    ...(store === undefined ? {} : { store }),
  };
}

function fault(
  mode: Mode,
  { steps }: Case,
  expected: Expected,
  run: (options: RunOptions) => Outcome,
  differ: Differ,
): string[] | undefined {
  const { batch, options, restart } = mode;
  const base = { ...options, ...(batch === undefined ? {} : { batch }) };
  if (restart !== 'single') {
    return differ(expected, run(restart === undefined ? base : { ...base, restartAfter: () => true }));
  }
  for (let point = 1; point <= singleRestarts(steps.length); point += 1) {
    const lines = differ(expected, run({ ...base, restartAfter: (group) => group === point }));
    if (lines !== undefined) return [`restarted after step ${point}`, ...lines];
  }
  return undefined;
}
