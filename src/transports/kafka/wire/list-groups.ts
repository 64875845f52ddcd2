import type { Api } from './api.ts';

export interface ListedGroup {
  readonly groupId: string;
  /** `Stable`, `Empty` and others. */
  readonly state: string;
}

export interface ListGroupsAnswer {
  readonly errorCode: number;
  readonly groups: readonly ListedGroup[];
}

/** The groups that one broker coordinates, those of them that the user may see. */
export const listGroupsApi: Api<undefined, ListGroupsAnswer> = {
  name: 'ListGroups',
  key: 16,
  version: 4,
  flexible: true,
  // In all states.
  encode: (writer) => writer.compactArray([], () => undefined).tags(),
  decode: (reader) => {
    reader.int32();
    const errorCode = reader.int16();
    const groups = reader.compactArray(() => {
      const groupId = reader.compactString();
      // What kind of members it has.
      reader.compactString();
      const state = reader.compactString();
      reader.tags();
      return { groupId, state };
    });
    return { errorCode, groups };
  },
};
