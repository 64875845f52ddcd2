/** Positions of the fields of a record batch (format v2), in bytes from its start. All integers are big-endian. */
export const BASE_OFFSET = 0;
/** Length of what follows this field. */
export const BATCH_LENGTH = 8;
export const LEADER_EPOCH = 12;
export const MAGIC = 16;
export const CRC = 17;
export const ATTRIBUTES = 21;
export const LAST_OFFSET_DELTA = 23;
export const BASE_TIMESTAMP = 27;
export const MAX_TIMESTAMP = 35;
export const PRODUCER_ID = 43;
export const PRODUCER_EPOCH = 51;
export const BASE_SEQUENCE = 53;
export const RECORD_COUNT = 57;
/** Position of the first record. */
export const HEADER_BYTES = 61;
/** The bytes that `BATCH_LENGTH` does not include: the base offset and itself. */
export const LENGTH_PREFIX_BYTES = 12;

export const MAGIC_V2 = 2;

export const LOG_APPEND_TIME_FLAG = 0x08;
export const TRANSACTIONAL_FLAG = 0x10;
export const CONTROL_FLAG = 0x20;
export const CODEC_MASK = 0x07;

/** The smallest size of a record: its length, attributes, two deltas, two lengths and the number of headers. */
export const MIN_RECORD_BYTES = 7;
