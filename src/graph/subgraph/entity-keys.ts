/** The types that other subgraphs can refer to, and the field that identifies an object of each. */
import { isLeveledType, type LeveledType, leveledTypes } from '../../upstream/postman/levels.ts';

/** Name of a type that other subgraphs can refer to. */
export type EntityType = LeveledType | 'User';

/** The key field of each entity type. */
export const entityKeys: Readonly<Record<EntityType, 'id' | 'uid'>> = {
  Workspace: leveledTypes.Workspace.key,
  Collection: leveledTypes.Collection.key,
  Environment: leveledTypes.Environment.key,
  Mock: leveledTypes.Mock.key,
  User: 'id',
};

/** Whether this is the name of a type that other subgraphs can refer to. */
export function isEntityType(name: string): name is EntityType {
  return name === 'User' || isLeveledType(name);
}
