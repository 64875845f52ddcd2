import type { Cancel, Clock } from '../../../src/dataflow/clock.ts';
import type { JoinGroupRequest, JoinGroupResponse } from '../../../src/transports/kafka/wire/membership.ts';
import type { GroupIdentity, OffsetToCommit } from '../../../src/transports/kafka/wire/offset-commit.ts';
import type { PendingOffsets } from './transactions.ts';

export type State = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';
type Joined = (answer: JoinGroupResponse) => void;
type Synced = (answer: { readonly errorCode: number; readonly assignment: Uint8Array }) => void;

interface Member {
  readonly id: string;
  request: JoinGroupRequest;
  joining: Joined | undefined;
  syncing: Synced | undefined;
  assignment: Uint8Array;
  expiry: Cancel;
}

interface Offset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Its place among all commits. */
  readonly at: number;
}

interface Group {
  state: State;
  generation: number;
  leader: string | undefined;
  protocol: string;
  readonly members: Map<string, Member>;
  /** Ids that were given out and not used yet: they are waited for. */
  readonly promised: Map<string, Cancel>;
  /** Somebody has joined, or committed something. */
  exists: boolean;
  readonly offsets: Map<string, Offset>;
  /** Offsets in transactions, by producer. */
  readonly pending: Map<bigint, Map<string, Offset>>;
  readonly epochs: Map<bigint, number>;
  deadline: Cancel;
}

const NOTHING = new Uint8Array(0);
const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** The coordinator of groups. */
export class Groups implements PendingOffsets {
  readonly #clock: Clock;
  readonly #groups = new Map<string, Group>();
  #members = 0;
  /** What happened. */
  readonly counts = { generations: 0, expired: 0 };
  /** Whether a request that its sender had given up has put a committed offset back: what follows is read again. */
  isPutBack = false;
  /** Committed offsets that became lower, although nobody has asked for that. */
  readonly wentBack: string[] = [];
  #commits = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(request: JoinGroupRequest, answer: Joined): void {
    const group = this.#group(request.groupId);
    const { memberId } = request;
    if (memberId === '') {
      const id = `member-${String(++this.#members).padStart(4, '0')}`;
      group.exists = true;
      group.promised.set(
        id,
        this.#clock.after(request.sessionTimeoutMs, () => {
          group.promised.delete(id);
          this.#perhaps(group);
        }),
      );
      answer(failed(79, id));
      return;
    }
    const known = group.members.get(memberId);
    if (known === undefined) {
      if (!this.#kept(group, memberId)) return answer(failed(25, memberId));
      const member: Member = {
        id: memberId,
        request,
        joining: undefined,
        syncing: undefined,
        assignment: NOTHING,
        expiry: () => undefined,
      };
      group.members.set(memberId, member);
      this.#prepare(group, member, request, answer);
      return;
    }
    const same = sameProtocols(known.request, request);
    if (group.state === 'CompletingRebalance' && same) {
      answer(this.#answerOf(group, known));
      this.#live(group, known);
      return;
    }
    if (group.state === 'Stable' && same && group.leader !== memberId) {
      answer(this.#answerOf(group, known));
      this.#live(group, known);
      return;
    }
    this.#prepare(group, known, request, answer);
  }

  sync(
    { generation, groupId, memberId }: GroupIdentity,
    assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
    answer: Synced,
  ): void {
    const group = this.#group(groupId);
    const member = group.members.get(memberId);
    const code = member === undefined ? 25 : generation !== group.generation ? 22 : 0;
    if (member === undefined || code !== 0) return answer({ errorCode: code, assignment: NOTHING });
    if (group.state === 'PreparingRebalance') return answer({ errorCode: 27, assignment: NOTHING });
    if (group.state === 'Stable') {
      this.#live(group, member);
      return answer({ errorCode: 0, assignment: member.assignment });
    }
    member.syncing = answer;
    if (group.leader !== memberId) return;
    for (const each of group.members.values()) {
      each.assignment = assignments.find((one) => one.memberId === each.id)?.assignment.slice() ?? NOTHING;
    }
    group.state = 'Stable';
    group.deadline();
    for (const each of group.members.values()) {
      const { syncing } = each;
      each.syncing = undefined;
      this.#live(group, each);
      syncing?.({ errorCode: 0, assignment: each.assignment });
    }
  }

  heartbeat({ generation, groupId, memberId }: GroupIdentity): number {
    const group = this.#group(groupId);
    const member = group.members.get(memberId);
    if (member === undefined) return 25;
    if (generation !== group.generation) return 22;
    this.#live(group, member);
    return group.state === 'PreparingRebalance' ? 27 : 0;
  }

  leave(groupId: string, memberId: string): number {
    const group = this.#group(groupId);
    if (this.#kept(group, memberId)) {
      this.#perhaps(group);
      return 0;
    }
    const member = group.members.get(memberId);
    if (member === undefined) return 25;
    this.#remove(group, member);
    return 0;
  }

  /** Takes members out, as an operator would. */
  expel(groupId: string): void {
    const group = this.#group(groupId);
    for (const member of group.members.values()) this.#remove(group, member);
  }

  /** Begins another generation. */
  rebalance(groupId: string): void {
    const group = this.#group(groupId);
    if (group.members.size > 0 && group.state !== 'PreparingRebalance') this.#begin(group);
  }

  #checkCommit(identity: GroupIdentity, transactional: boolean): number {
    const group = this.#group(identity.groupId);
    const { generation, memberId } = identity;
    if (!group.exists && generation >= 0) return 22;
    if (generation < 0 && group.state === 'Empty') return 0;
    if (generation >= 0 || memberId !== '') {
      if (!group.members.has(memberId)) return 25;
      if (generation !== group.generation) return 22;
    } else if (!transactional) return 25;
    return !transactional && group.state === 'CompletingRebalance' ? 27 : 0;
  }

  /** @param stale - Whether its sender has given it up: then it may come after later ones. */
  commit(identity: GroupIdentity, offsets: readonly OffsetToCommit[], stale = false): number {
    const code = this.#checkCommit(identity, false);
    if (code !== 0) return code;
    const group = this.#group(identity.groupId);
    group.exists = true;
    for (const each of offsets) this.#set(group, keyOf(each.topic, each.partition), this.#offsetOf(each), stale);
    const member = group.members.get(identity.memberId);
    if (member !== undefined) this.#live(group, member);
    return 0;
  }

  commitInTransaction(
    identity: GroupIdentity,
    producerId: bigint,
    epoch: number,
    offsets: readonly OffsetToCommit[],
  ): number {
    const code = this.#checkCommit(identity, true);
    if (code !== 0) return code;
    const group = this.#group(identity.groupId);
    group.exists = true;
    if (epoch < (group.epochs.get(producerId) ?? 0)) return 47;
    group.epochs.set(producerId, epoch);
    let pending = group.pending.get(producerId);
    if (pending === undefined) group.pending.set(producerId, (pending = new Map()));
    for (const each of offsets) pending.set(keyOf(each.topic, each.partition), this.#offsetOf(each));
    return 0;
  }

  end(groupId: string, producerId: bigint, commit: boolean): void {
    const group = this.#group(groupId);
    const pending = group.pending.get(producerId);
    group.pending.delete(producerId);
    if (!commit) return;
    // What was committed outside the transaction since then is newer.
    for (const [key, offset] of pending ?? [])
      if (offset.at > (group.offsets.get(key)?.at ?? 0)) this.#set(group, key, offset, false);
  }

  #offsetOf({ leaderEpoch, metadata, offset }: OffsetToCommit): Offset {
    this.#commits += 1;
    return { offset, leaderEpoch: leaderEpoch ?? -1, metadata: metadata ?? '', at: this.#commits };
  }

  #set(group: Group, key: string, offset: Offset, stale: boolean): void {
    const before = group.offsets.get(key)?.offset ?? 0;
    if (offset.offset < before && stale) this.isPutBack = true;
    else if (offset.offset < before) this.wentBack.push(`${key} from ${before} to ${offset.offset}`);
    group.offsets.set(key, offset);
  }

  /** Whether a producer of this epoch has committed in its transaction. */
  isPending(groupId: string, producerId: bigint, epoch: number): boolean {
    const { epochs, pending } = this.#group(groupId);
    return pending.has(producerId) && epochs.get(producerId) === epoch;
  }

  /** What is committed for partitions, of all with `null`. */
  committed(
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[] | null,
    stable: boolean,
  ): (Omit<Offset, 'at'> & { readonly topic: string; readonly partition: number; readonly errorCode: number })[] {
    const group = this.#group(groupId);
    const wanted =
      partitions ??
      Array.from(group.offsets.keys(), (key) => {
        const at = key.lastIndexOf('/');
        return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)) };
      });
    return wanted.map(({ partition, topic }) => {
      const key = keyOf(topic, partition);
      const none = { topic, partition, offset: -1, leaderEpoch: -1, metadata: '' };
      if (stable && [...group.pending.values()].some((each) => each.has(key))) return { ...none, errorCode: 88 };
      return { ...none, ...group.offsets.get(key), errorCode: 0 };
    });
  }

  forget(topic: string): void {
    for (const { offsets } of this.#groups.values()) {
      for (const key of offsets.keys()) if (key.startsWith(`${topic}/`)) offsets.delete(key);
    }
  }

  list(): { readonly groupId: string; readonly state: State }[] {
    return Array.from(this.#groups, ([groupId, { state }]) => ({ groupId, state }));
  }

  #group(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = {
        state: 'Empty',
        generation: 0,
        leader: undefined,
        protocol: '',
        members: new Map(),
        promised: new Map(),
        exists: false,
        offsets: new Map(),
        pending: new Map(),
        epochs: new Map(),
        deadline: () => undefined,
      };
      this.#groups.set(id, group);
    }
    return group;
  }

  #prepare(group: Group, member: Member, request: JoinGroupRequest, answer: Joined): void {
    member.request = request;
    member.expiry();
    member.joining = answer;
    if (group.state !== 'PreparingRebalance') this.#begin(group);
    else this.#perhaps(group);
  }

  #begin(group: Group): void {
    for (const member of group.members.values()) {
      const { syncing } = member;
      if (syncing === undefined) continue;
      member.syncing = undefined;
      this.#live(group, member);
      syncing({ errorCode: 27, assignment: NOTHING });
    }
    group.state = 'PreparingRebalance';
    group.deadline();
    const longest = Math.max(...Array.from(group.members.values(), ({ request }) => request.rebalanceTimeoutMs));
    group.deadline = this.#clock.after(longest, () => {
      for (const member of group.members.values()) if (member.joining === undefined) this.#drop(group, member);
      this.#complete(group);
    });
    this.#perhaps(group);
  }

  /** Whether an id was promised, which it is no more. */
  #kept(group: Group, memberId: string): boolean {
    group.promised.get(memberId)?.();
    return group.promised.delete(memberId);
  }

  #perhaps(group: Group): void {
    if (group.state !== 'PreparingRebalance' || group.promised.size > 0) return;
    if ([...group.members.values()].every(({ joining }) => joining !== undefined)) this.#complete(group);
  }

  #complete(group: Group): void {
    group.deadline();
    group.generation += 1;
    this.counts.generations += 1;
    if (group.members.size === 0) {
      group.state = 'Empty';
      group.leader = undefined;
      return;
    }
    group.state = 'CompletingRebalance';
    if (group.leader === undefined || !group.members.has(group.leader)) group.leader = [...group.members.keys()][0];
    const members = [...group.members.values()];
    const [first] = members;
    group.protocol =
      first?.request.protocols.find(({ name }) =>
        members.every(({ request }) => request.protocols.some((each) => each.name === name)),
      )?.name ?? '';
    for (const member of members) {
      const { joining } = member;
      member.joining = undefined;
      this.#live(group, member);
      joining?.(this.#answerOf(group, member));
    }
    // Who does not ask for its share in time is given up.
    const longest = Math.max(...members.map(({ request }) => request.rebalanceTimeoutMs));
    group.deadline = this.#clock.after(longest, () => {
      for (const member of group.members.values()) if (member.syncing === undefined) this.#drop(group, member);
      if (group.members.size === 0) this.#complete(group);
      else this.#begin(group);
    });
  }

  #answerOf(group: Group, { id }: Member): JoinGroupResponse {
    const leads = group.leader === id;
    return {
      errorCode: 0,
      generation: group.generation,
      protocol: group.protocol,
      leader: group.leader ?? '',
      memberId: id,
      members: leads
        ? Array.from(group.members.values(), (member) => ({
            memberId: member.id,
            metadata: member.request.protocols.find(({ name }) => name === group.protocol)?.metadata ?? NOTHING,
          }))
        : [],
    };
  }

  /** A member has been heard of; while it waits for an answer it need not say more. */
  #live(group: Group, member: Member): void {
    member.expiry();
    member.expiry = this.#clock.after(member.request.sessionTimeoutMs, () => {
      if (member.joining !== undefined || member.syncing !== undefined) return this.#live(group, member);
      this.counts.expired += 1;
      this.#remove(group, member);
    });
  }

  #drop(group: Group, member: Member): void {
    member.expiry();
    group.members.delete(member.id);
    member.joining?.(failed(25, member.id));
    member.syncing?.({ errorCode: 25, assignment: NOTHING });
  }

  #remove(group: Group, member: Member): void {
    this.#drop(group, member);
    if (group.state === 'PreparingRebalance') this.#perhaps(group);
    else this.#begin(group);
  }
}

function sameProtocols(one: JoinGroupRequest, other: JoinGroupRequest): boolean {
  return (
    one.protocols.length === other.protocols.length &&
    one.protocols.every(
      ({ metadata, name }, at) =>
        other.protocols[at]?.name === name && Buffer.compare(metadata, other.protocols[at].metadata) === 0,
    )
  );
}

function failed(errorCode: number, memberId: string): JoinGroupResponse {
  return { errorCode, generation: -1, protocol: '', leader: '', memberId, members: [] };
}
