import type { MillraceError } from '../../errors.ts';
import type { CommittedOffset } from '../../log/transport.ts';
import { topicRecreated, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError, rebalancing, staleWork } from './errors.ts';
import type { GroupMember } from './group-member.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';
import type { GroupIdentity, OffsetCommitAnswer, OffsetToCommit } from './wire/offset-commit.ts';

/**
 * Commits offsets as a member of a group. If the group has moved to a new generation in which the member keeps its
 * tasks, the commit is made in that generation.
 *
 * @param generation - The generation in which the work was done.
 * @throws MillraceError `ERR_STALE_GENERATION` if the work may belong to another member; `ERR_TOPIC_RECREATED`,
 * `ERR_UNKNOWN_TOPIC` if a partition of the offsets is gone
 */
export async function commitAsMember(
  cluster: Cluster,
  topics: Topics,
  member: GroupMember,
  generation: number,
  positions: readonly CommittedOffset[],
  send: (
    offsets: readonly OffsetToCommit[],
    identity: GroupIdentity,
    coordinator: number,
  ) => Promise<readonly OffsetCommitAnswer[]>,
): Promise<void> {
  const { groupId } = member.identity;
  const { rebalanceTimeoutMs, requestTimeoutMs } = cluster.settings;
  const limitMs = Math.max(rebalanceTimeoutMs, requestTimeoutMs);
  const offsets = positions.map(member.notes.add);
  const doing = `commit offsets of group "${groupId}"`;
  const onRetry = (error: MillraceError): void => void (member.commitTrouble = error);
  const over = (): void => void (member.commitTrouble = undefined);
  await retrying(cluster.machine, { doing, limitMs, firstPauseMs: 5, signal: cluster.signal, onRetry }, async () => {
    await member.confirm(generation);
    member.check(generation);
    const { identity } = member;
    try {
      const answers = await send(offsets, identity, await cluster.coordinator('group', groupId));
      for (const { errorCode, topic, partition } of answers) {
        if (errorCode === 0) continue;
        if (mayTryAgain(errorCode, identity, member)) throw rebalancing(groupId);
        if (errorCode === Code.UNKNOWN_MEMBER_ID || errorCode === Code.ILLEGAL_GENERATION) {
          member.lost();
          throw staleWork(groupId, generation, 'was refused by the coordinator');
        }
        if (errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) {
          await checkThere(
            topics,
            positions.find((each) => each.topic === topic && each.partition === partition),
          );
        }
        throw kafkaError(errorCode, doing, groupId, { topic, partition });
      }
    } catch (error) {
      cluster.forgetCoordinator('group', groupId, error);
      throw error;
    }
  }).finally(over);
}

/**
 * Checks whether a partition exists: a coordinator that does not know it may learn of it later, or never, and then a
 * retry does not help.
 *
 * @throws FatalError `ERR_TOPIC_RECREATED`, `ERR_UNKNOWN_TOPIC`
 */
async function checkThere(topics: Topics, position: CommittedOffset | undefined): Promise<void> {
  if (position === undefined) return;
  const { topic, topicId } = position;
  const now = (await topics.refresh(topic)) ?? (await topics.refresh(topic));
  if (now === undefined) throw unknownTopic(topic);
  if (topicId !== undefined && now.id !== undefined && topicId !== now.id) throw topicRecreated(position);
}

/** Whether the refusal only means that the generation is changing. */
function mayTryAgain(errorCode: number, { generation, memberId }: GroupIdentity, member: GroupMember): boolean {
  if (errorCode === Code.REBALANCE_IN_PROGRESS) return true;
  if (errorCode !== Code.ILLEGAL_GENERATION) return false;
  return member.inFlux || (member.identity.memberId === memberId && member.identity.generation !== generation);
}
