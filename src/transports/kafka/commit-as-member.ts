import type { MillraceError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError, rebalancing, staleWork } from './errors.ts';
import type { GroupMember } from './group-member.ts';
import { retrying } from './retry.ts';
import type { GroupIdentity, OffsetCommitAnswer } from './wire/offset-commit.ts';

/**
 * Commits offsets as a member of a group. When the group has moved on to a generation in which the member keeps its tasks,
 * the commit is made in that one.
 *
 * @param generation - The one in which the work was done.
 * @throws MillraceError `ERR_STALE_GENERATION` when the work may belong to another member
 */
export async function commitAsMember(
  cluster: Cluster,
  member: GroupMember,
  generation: number,
  send: (identity: GroupIdentity, coordinator: number) => Promise<readonly OffsetCommitAnswer[]>,
): Promise<void> {
  const { groupId } = member.identity;
  const { rebalanceTimeoutMs, requestTimeoutMs } = cluster.settings;
  const limitMs = Math.max(rebalanceTimeoutMs, requestTimeoutMs);
  const doing = `commit offsets of group "${groupId}"`;
  const onRetry = (error: MillraceError): void => void (member.commitTrouble = error);
  const over = (): void => void (member.commitTrouble = undefined);
  await retrying({ doing, limitMs, firstPauseMs: 5, signal: cluster.signal, onRetry }, async () => {
    await member.confirm(generation);
    member.check(generation);
    const { identity } = member;
    try {
      const answers = await send(identity, await cluster.coordinator('group', groupId));
      for (const { errorCode, topic, partition } of answers) {
        if (errorCode === 0) continue;
        if (mayTryAgain(errorCode, identity, member)) throw rebalancing(groupId);
        if (errorCode === Code.UNKNOWN_MEMBER_ID || errorCode === Code.ILLEGAL_GENERATION) {
          member.lost();
          throw staleWork(groupId, generation, 'was refused by the coordinator');
        }
        throw kafkaError(errorCode, doing, groupId, { topic, partition });
      }
    } catch (error) {
      cluster.forgetCoordinator('group', groupId, error);
      throw error;
    }
  }).finally(over);
}

/** Whether the refusal only says that the generation is changing. */
function mayTryAgain(errorCode: number, { generation, memberId }: GroupIdentity, member: GroupMember): boolean {
  if (errorCode === Code.REBALANCE_IN_PROGRESS) return true;
  if (errorCode !== Code.ILLEGAL_GENERATION) return false;
  return member.inFlux || (member.identity.memberId === memberId && member.identity.generation !== generation);
}
