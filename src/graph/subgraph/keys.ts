import type { LeveledType } from '../carried-by.ts';

/** The types that other subgraphs can refer to, each with the field that identifies it: their `@key`. */
export const entityKeys = { Workspace: 'id', Collection: 'uid', Environment: 'uid' } as const satisfies Readonly<
  Record<LeveledType, string>
>;
