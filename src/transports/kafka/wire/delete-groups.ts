import type { Api } from './api.ts';

export interface DeletedGroup {
  readonly groupId: string;
  readonly errorCode: number;
}

/** Deletes groups with their offsets, at the broker that coordinates them. */
export const deleteGroupsApi: Api<readonly string[], readonly DeletedGroup[]> = {
  name: 'DeleteGroups',
  key: 42,
  version: 1,
  encode: (writer, groups) => writer.array(groups, (group) => writer.string(group)),
  decode: (reader) => {
    // How long to wait, which connections see to.
    reader.int32();
    return reader.array(() => ({ groupId: reader.string(), errorCode: reader.int16() }));
  },
};
