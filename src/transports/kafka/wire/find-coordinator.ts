import type { Api } from './api.ts';

/** Of a group, or of a transactional id. */
export type CoordinatorKind = 'group' | 'transaction';

export interface CoordinatorAnswer {
  readonly errorCode: number;
  readonly message: string | null;
  readonly node: number;
}

export const findCoordinatorApi: Api<{ readonly key: string; readonly kind: CoordinatorKind }, CoordinatorAnswer> = {
  name: 'FindCoordinator',
  key: 10,
  version: 2,
  encode: (writer, { key, kind }) => writer.string(key).int8(kind === 'group' ? 0 : 1),
  decode: (reader) => {
    reader.int32();
    return { errorCode: reader.int16(), message: reader.nullableString(), node: reader.int32() };
  },
};
