import { describe, expect, it } from 'vitest';
import { topicsOf } from './broker-model.fixtures.ts';
import { commitAsMember } from './commit-as-member.ts';
import { staleWork } from './errors.ts';
import { fakeCluster, fakeMember } from './fake-cluster.fixtures.ts';
import type { GroupMember } from './group-member.ts';

const offset = { topic: 'in', partition: 0, offset: 5 };

/** Commits as a member, and tells what was sent. */
async function sentBy(member: GroupMember): Promise<{ readonly sent: number; readonly code: string }> {
  let sent = 0;
  const commit = commitAsMember(
    fakeCluster(() => undefined),
    topicsOf(),
    member,
    1,
    [offset],
    async () => {
      sent += 1;
      return [{ topic: 'in', partition: 0, errorCode: 0 }];
    },
  );
  const code = await commit.then(
    () => 'done',
    (error: { readonly code: string }) => error.code,
  );
  return { sent, code };
}

describe('offsets of a member', () => {
  it('are committed as long as its tasks are its own', async () => {
    expect(await sentBy(fakeMember())).toEqual({ sent: 1, code: 'done' });
  });

  it('commits nothing when the member has lost tasks while it asked', async () => {
    let lost = false;
    const member = fakeMember({
      confirm: async () => {
        lost = true;
      },
      check: (generation) => {
        if (lost) throw staleWork('group', generation, 'is not current');
      },
    });
    expect(await sentBy(member)).toEqual({ sent: 0, code: 'ERR_STALE_GENERATION' });
  });
});
