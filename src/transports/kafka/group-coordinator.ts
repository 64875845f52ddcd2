import { ConfigError } from '../../errors.ts';
import { nameHash } from '../../log/name-hash.ts';
import type { GroupOptions } from '../../log/transport.ts';
import { generationsBefore, nextEpoch } from '../../protocol/epoch.ts';
import type { Cluster, Lane } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import { GroupLeader } from './group-leader.ts';
import type { GroupMemory } from './group-memory.ts';
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeMember,
  type MemberInfo,
  PROTOCOL_NAME,
  PROTOCOL_TYPE,
} from './group-protocol.ts';
import {
  decodeOldAssignment,
  decodeOldMember,
  encodeOldAssignment,
  encodeOldMember,
  OLD_LIMIT_BYTES,
  OLD_PROTOCOL_NAME,
} from './group-protocol-1.ts';
import type { Moment } from './lease.ts';
import { MemberCard } from './member-card.ts';
import { openTransactions } from './open-transactions.ts';
import { newProducerId } from './producer-id.ts';
import type { Api } from './wire/api.ts';
import { heartbeatApi, type JoinGroupResponse, joinGroupApi, leaveGroupApi, syncGroupApi } from './wire/membership.ts';
import type { GroupIdentity } from './wire/offset-commit.ts';

/** What the group assigns to this member in a generation. */
export interface Granted {
  readonly tasks: ReadonlySet<string>;
  readonly generation: number;
  /** Identifies the generation: a deleted group counts from 1 again, but in another life. */
  readonly epoch: number;
}

const NOTHING: Granted = { tasks: new Set(), generation: 0, epoch: 0 };
/** Extra time for the broker's response, beyond the time that it gives the members, in ms. */
const EXTRA_MS = 5000;
/** How long to wait for a response that depends on other members before asking again, in ms. */
const PATIENCE_MS = 60_000;

/** Communicates with the coordinator of a group, as a member and, if chosen, as the leader. */
export class GroupCoordinator {
  readonly #cluster: Cluster;
  readonly #options: GroupOptions;
  readonly #card: MemberCard;
  readonly #leader: GroupLeader;
  readonly #lane: Lane;
  #memberId = '';
  #generation = -1;
  #granted: Granted = NOTHING;
  #left = false;
  /** Outlasts the membership. */
  readonly #memory: GroupMemory;
  /** When the last successful join request was sent. */
  joinedAt: Moment;

  constructor(cluster: Cluster, options: GroupOptions, transactionalId: string | null, memory: GroupMemory) {
    this.#memory = memory;
    this.#cluster = cluster;
    this.#options = options;
    this.#card = new MemberCard(options.tasks, transactionalId);
    this.#leader = new GroupLeader(options.tasks, this.#card.digest);
    this.#lane = cluster.newLane('group');
    this.joinedAt = cluster.machine.moment();
  }

  get identity(): GroupIdentity {
    const { instanceId } = this.#cluster.settings;
    return { groupId: this.#options.groupId, generation: this.#generation, memberId: this.#memberId, instanceId };
  }

  /** Starts over as an unknown member. */
  forget(): void {
    this.#memberId = '';
    this.#granted = NOTHING;
  }

  /** Joins the next generation. @throws MillraceError of class `migrated` if the member had been expelled */
  async join(): Promise<Granted> {
    for (;;) {
      const joined = await this.#join();
      if (joined.errorCode === Code.MEMBER_ID_REQUIRED) {
        this.#memberId = joined.memberId;
        continue;
      }
      this.#check(joined.errorCode);
      this.#memberId = joined.memberId;
      this.#generation = joined.generation;
      const leads = joined.leader === joined.memberId;
      const { assignments, covered } = leads ? await this.#assign(joined) : { assignments: [], covered: true };
      const sent = this.#cluster.machine.moment();
      const answer = await this.#ask(syncGroupApi, { ...this.identity, assignments }, this.#longMs);
      // The group has changed again.
      if (answer.errorCode === Code.REBALANCE_IN_PROGRESS) continue;
      this.#check(answer.errorCode);
      const decode = joined.protocol === OLD_PROTOCOL_NAME ? decodeOldAssignment : decodeAssignment;
      const { epoch, tasks, tell, transactionalIds } = decode(answer.assignment);
      this.#memory.transactionalIds = transactionalIds;
      this.#memory.epoch = epoch ?? epochOf(joined.generation, joined.leader);
      // Join again with what was missing. The member keeps its tasks until then.
      this.#card.tell = tell;
      if (tell) continue;
      if (!covered && !this.#card.listAll) {
        this.#card.listAll = true;
        continue;
      }
      this.#granted = { tasks: new Set(tasks), generation: joined.generation, epoch: this.#memory.epoch };
      this.joinedAt = sent;
      return this.#granted;
    }
  }

  /**
   * Sends a heartbeat and returns the error code of the response.
   *
   * @param beside - Whether to use a connection other than the one for joining.
   */
  heartbeat(beside: boolean): Promise<number> {
    return this.#ask(heartbeatApi, this.identity, undefined, beside ? 'main' : this.#lane);
  }

  async leave(): Promise<void> {
    const { settings } = this.#cluster;
    const { groupId } = this.#options;
    this.#left = true;
    // A request that waits for the other members must not keep this one waiting.
    this.#cluster.closeLane(this.#lane);
    const memberId = this.#memberId;
    try {
      // A static member keeps its tasks until it is back or its session is over.
      if (memberId === '' || settings.instanceId !== null || this.#cluster.signal.aborted) return;
      await this.#ask(leaveGroupApi, { groupId, memberId }, EXTRA_MS);
    } catch (error) {
      settings.logger.warn({ groupId, error }, 'leaving the group failed; its tasks move when the session expires');
    } finally {
      this.#cluster.closeLane(this.#lane);
    }
  }

  get #longMs(): number {
    const { rebalanceTimeoutMs, requestTimeoutMs } = this.#cluster.settings;
    // A member that asks again while the group waits for others is not counted twice, and detects whether the
    // coordinator still responds.
    return Math.max(requestTimeoutMs, Math.min(rebalanceTimeoutMs, PATIENCE_MS) + EXTRA_MS);
  }

  #join(): Promise<JoinGroupResponse> {
    const { settings } = this.#cluster;
    const { groupId } = this.#options;
    const { generation, tasks } = this.#granted;
    const { epoch, transactionalIds } = this.#memory;
    const info = this.#card.info([...tasks], generation, transactionalIds, epoch);
    const old = encodeOldMember(this.#card.whole(info));
    const protocols = [{ name: PROTOCOL_NAME, metadata: encodeMember(info) }];
    if (old.length <= OLD_LIMIT_BYTES) protocols.push({ name: OLD_PROTOCOL_NAME, metadata: old });
    const request = {
      groupId,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
      memberId: this.#memberId,
      instanceId: settings.instanceId,
      protocolType: PROTOCOL_TYPE,
      protocols,
    };
    return this.#ask(joinGroupApi, request, this.#longMs);
  }

  /** Assigns the tasks, as the leader. */
  async #assign({ generation, members, protocol }: JoinGroupResponse): Promise<{
    readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
    readonly covered: boolean;
  }> {
    const old = protocol === OLD_PROTOCOL_NAME;
    const read = old ? decodeOldMember : decodeMember;
    const infos = new Map(members.map(({ memberId, metadata }) => [memberId, read(metadata)]));
    const { abandoned, assignments, covered, partitions } = this.#leader.share(infos);
    const left = await this.#fence([...abandoned, ...(await this.#forgotten(generation, [...infos.values()]))]);
    const write = old ? encodeOldAssignment : encodeAssignment;
    const known = [...infos.values()].flatMap((info) => info.epoch ?? []);
    const epoch = nextEpoch(generation, known, this.#cluster.machine.random);
    return {
      covered,
      assignments: [...assignments].map(([memberId, assignment]) => {
        const { tasks, transactionalIds: ids } = assignment;
        // Transactions that could not be ended are left to the next leader.
        const transactionalIds = ids.length === 0 ? ids : [...ids, ...left];
        return { memberId, assignment: write({ ...assignment, transactionalIds, epoch }, partitions(tasks)) };
      }),
    };
  }

  /**
   * Open transactions of members unknown to all current members, which may have been away while others came and went.
   */
  async #forgotten(generation: number, members: readonly MemberInfo[]): Promise<readonly string[]> {
    const present = new Set(members.map(({ transactionalId }) => transactionalId));
    const wereThere = ({ epoch, transactionalIds }: MemberInfo): boolean =>
      epoch !== undefined && transactionalIds.length > 0 && generationsBefore(epoch, generation) === 1;
    if (!members.some(({ transactionalId }) => transactionalId !== null) || members.some(wereThere)) return [];
    const told = new Set(members.flatMap(({ transactionalIds }) => transactionalIds));
    const open = await openTransactions(this.#cluster, this.#options.groupId);
    return open.filter((id) => !present.has(id) && !told.has(id));
  }

  /**
   * Ends the transactions of departed members, so that nobody waits for them to expire. @returns The ids that could not
   * be ended.
   */
  async #fence(gone: readonly string[]): Promise<readonly string[]> {
    const left: string[] = [];
    await Promise.all(
      gone.map((id) =>
        newProducerId(this.#cluster, id).catch((error: unknown) => {
          left.push(id);
          this.#cluster.settings.logger.warn({ error }, `the transaction of "${id}" is left to expire`);
        }),
      ),
    );
    return left;
  }

  #check(errorCode: number): void {
    if (errorCode === 0) return;
    const { groupId } = this.#options;
    if (errorCode === 23) {
      throw new ConfigError(
        'ERR_GROUP_PROTOCOL',
        `Group "${groupId}" has members that use another library, or too old a version of this one`,
        {
          hint: 'choose another group id, or stop the other consumers of this group',
        },
      );
    }
    throw kafkaError(errorCode, `join group "${groupId}"`, groupId);
  }

  async #ask<Q, R>(api: Api<Q, R>, query: Q, timeoutMs?: number, lane: Lane = this.#lane): Promise<R> {
    const { groupId } = this.#options;
    try {
      const node = await this.#cluster.coordinator('group', groupId);
      // A member that leaves while its joining still looks for the coordinator would join after it has left, and have tasks
      // that nobody runs.
      const admitted = (): boolean => !this.#left || api.name === leaveGroupApi.name;
      const answer = await this.#cluster.request(node, lane, api, query, timeoutMs, admitted);
      const code = typeof answer === 'number' ? answer : (answer as { readonly errorCode?: number }).errorCode;
      if (code === Code.NOT_COORDINATOR || code === 14 || code === 15)
        throw kafkaError(code, `reach the coordinator of group "${groupId}"`);
      return answer;
    } catch (error) {
      this.#cluster.forgetCoordinator('group', groupId, error);
      throw error;
    }
  }
}

/** The epoch for a leader of an earlier version, which does not send one. */
function epochOf(generation: number, leader: string): number {
  return Number.parseInt(nameHash(`${generation} ${leader}`), 16) || 1;
}
