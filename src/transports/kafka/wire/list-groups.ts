import type { Api } from './api.ts';

export interface ListGroupsAnswer {
  readonly errorCode: number;
  readonly groups: readonly string[];
}

/** The groups that one broker coordinates, those of them that the user may see. */
export const listGroupsApi: Api<undefined, ListGroupsAnswer> = {
  name: 'ListGroups',
  key: 16,
  version: 2,
  encode: () => undefined,
  decode: (reader) => {
    reader.int32();
    const errorCode = reader.int16();
    const groups = reader.array(() => {
      const group = reader.string();
      reader.string();
      return group;
    });
    return { errorCode, groups };
  },
};
