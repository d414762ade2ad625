/** The types that other subgraphs can refer to, and the field that identifies an object of each. */
import { isLeveledType, type LeveledType, leveledTypes } from '../../upstream/postman/levels.ts';

/** Name of a type that other subgraphs can refer to. */
export type EntityType = LeveledType | 'User';

/** The key field of each entity type. */
export const entityKeys = {
  ...(Object.fromEntries(Object.entries(leveledTypes).map(([type, { key }]) => [type, key])) as Record<
    LeveledType,
    'id' | 'uid'
  >),
  User: 'id',
} as const satisfies Readonly<Record<EntityType, 'id' | 'uid'>>;

/** Whether this is the name of a type that other subgraphs can refer to. */
export function isEntityType(name: string): name is EntityType {
  return name === 'User' || isLeveledType(name);
}
