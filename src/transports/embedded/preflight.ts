/** This process's use of a folder. */
export interface Run {
  opened(): void;
  abandon(): void;
  closed(): void;
}

export async function inspectBeforeOpen(_path: string): Promise<Run> {
  return { opened: () => undefined, abandon: () => undefined, closed: () => undefined };
}
