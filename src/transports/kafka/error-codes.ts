import type { ErrorClass } from '../../errors.ts';

/** Names of Kafka's error codes, and how the runtime reacts to them. Other codes are fatal. */
const CODES: Readonly<Record<number, readonly [name: string, errorClass: ErrorClass]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'fatal'],
  1: ['OFFSET_OUT_OF_RANGE', 'fatal'],
  2: ['CORRUPT_MESSAGE', 'retriable'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'retriable'],
  5: ['LEADER_NOT_AVAILABLE', 'retriable'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'retriable'],
  7: ['REQUEST_TIMED_OUT', 'retriable'],
  8: ['BROKER_NOT_AVAILABLE', 'retriable'],
  9: ['REPLICA_NOT_AVAILABLE', 'retriable'],
  10: ['MESSAGE_TOO_LARGE', 'record'],
  13: ['NETWORK_EXCEPTION', 'retriable'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'retriable'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'retriable'],
  16: ['NOT_COORDINATOR', 'retriable'],
  17: ['INVALID_TOPIC_EXCEPTION', 'config'],
  18: ['RECORD_LIST_TOO_LARGE', 'record'],
  19: ['NOT_ENOUGH_REPLICAS', 'retriable'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retriable'],
  22: ['ILLEGAL_GENERATION', 'migrated'],
  23: ['INCONSISTENT_GROUP_PROTOCOL', 'config'],
  24: ['INVALID_GROUP_ID', 'config'],
  25: ['UNKNOWN_MEMBER_ID', 'migrated'],
  26: ['INVALID_SESSION_TIMEOUT', 'config'],
  27: ['REBALANCE_IN_PROGRESS', 'migrated'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'fatal'],
  30: ['GROUP_AUTHORIZATION_FAILED', 'fatal'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'fatal'],
  32: ['INVALID_TIMESTAMP', 'record'],
  33: ['UNSUPPORTED_SASL_MECHANISM', 'fatal'],
  34: ['ILLEGAL_SASL_STATE', 'fatal'],
  35: ['UNSUPPORTED_VERSION', 'fatal'],
  36: ['TOPIC_ALREADY_EXISTS', 'config'],
  37: ['INVALID_PARTITIONS', 'config'],
  38: ['INVALID_REPLICATION_FACTOR', 'config'],
  40: ['INVALID_CONFIG', 'config'],
  41: ['NOT_CONTROLLER', 'retriable'],
  42: ['INVALID_REQUEST', 'fatal'],
  44: ['POLICY_VIOLATION', 'config'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'abortable'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'abortable'],
  47: ['INVALID_PRODUCER_EPOCH', 'migrated'],
  48: ['INVALID_TXN_STATE', 'abortable'],
  49: ['INVALID_PRODUCER_ID_MAPPING', 'abortable'],
  50: ['INVALID_TRANSACTION_TIMEOUT', 'config'],
  51: ['CONCURRENT_TRANSACTIONS', 'retriable'],
  52: ['TRANSACTION_COORDINATOR_FENCED', 'retriable'],
  53: ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'fatal'],
  54: ['SECURITY_DISABLED', 'config'],
  56: ['KAFKA_STORAGE_ERROR', 'retriable'],
  58: ['SASL_AUTHENTICATION_FAILED', 'fatal'],
  59: ['UNKNOWN_PRODUCER_ID', 'abortable'],
  68: ['NON_EMPTY_GROUP', 'config'],
  69: ['GROUP_ID_NOT_FOUND', 'config'],
  72: ['LISTENER_NOT_FOUND', 'retriable'],
  73: ['TOPIC_DELETION_DISABLED', 'config'],
  74: ['FENCED_LEADER_EPOCH', 'retriable'],
  75: ['UNKNOWN_LEADER_EPOCH', 'retriable'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'config'],
  78: ['OFFSET_NOT_AVAILABLE', 'retriable'],
  79: ['MEMBER_ID_REQUIRED', 'retriable'],
  81: ['GROUP_MAX_SIZE_REACHED', 'fatal'],
  82: ['FENCED_INSTANCE_ID', 'fatal'],
  87: ['INVALID_RECORD', 'record'],
  88: ['UNSTABLE_OFFSET_COMMIT', 'retriable'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'retriable'],
  90: ['PRODUCER_FENCED', 'migrated'],
  100: ['UNKNOWN_TOPIC_ID', 'retriable'],
  103: ['INCONSISTENT_TOPIC_ID', 'retriable'],
  120: ['TRANSACTION_ABORTABLE', 'abortable'],
};

export const Code = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  MESSAGE_TOO_LARGE: 10,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC: 17,
  RECORD_LIST_TOO_LARGE: 18,
  ILLEGAL_GENERATION: 22,
  UNKNOWN_MEMBER_ID: 25,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_PRODUCER_ID_MAPPING: 49,
  UNKNOWN_PRODUCER_ID: 59,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  MEMBER_ID_REQUIRED: 79,
  FENCED_INSTANCE_ID: 82,
  PRODUCER_FENCED: 90,
} as const;

/** Kafka's name of an error code; `UNKNOWN_<number>` for an unknown one. */
export const codeName = (code: number): string => CODES[code]?.[0] ?? `UNKNOWN_${code}`;

export const codeClass = (code: number): ErrorClass => CODES[code]?.[1] ?? 'fatal';

/**
 * Responses to a write that come before anything is appended. All others may also come after the append, for example if
 * the leader is replaced or a disk fails while it waits for the replicas.
 */
const NOT_APPENDED = new Set([
  2, 10, 14, 15, 16, 17, 18, 19, 29, 31, 32, 35, 42, 43, 44, 45, 47, 48, 49, 51, 53, 59, 76, 87, 89, 90, 120,
]);

/** Whether a batch may be in the log despite this error response. */
export const leavesInDoubt = (code: number): boolean => !NOT_APPENDED.has(code);

const LOSES_PRODUCER = new Set<number>([
  Code.UNKNOWN_PRODUCER_ID,
  Code.OUT_OF_ORDER_SEQUENCE_NUMBER,
  Code.INVALID_PRODUCER_ID_MAPPING,
  Code.INVALID_PRODUCER_EPOCH,
  Code.PRODUCER_FENCED,
]);

/** Whether a write refused with this error will always be refused under its producer id and epoch. */
export const losesProducer = (code: number): boolean => LOSES_PRODUCER.has(code);
