import type { Call, Route } from './call.ts';
import { type ChildListName, type Level, leveledTypes, type LeveledType, type ListName } from './levels.ts';
import type { Ref } from './resources/ref.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** A type of the GraphQL schema that a response carries, and the levels at which it carries it. */
export interface CarriedType {
  readonly type: 'User' | LeveledType;
  readonly levels: readonly Level[];
}

/** A route of the Postman API, with the types that its responses carry. */
export interface PostmanRoute extends Route {
  readonly carries: readonly CarriedType[];
}

/** Objects of one type that a response shows to be in a workspace. */
export interface ShownContents {
  readonly workspaceId: string;
  readonly list: ChildListName;
  readonly items: readonly Ref[];
  /** Whether the workspace holds no others. */
  readonly isComplete: boolean;
}

/**
 * One GET of a route.
 *
 * `Missing` is `null` for a call that resolves to null where the object does not exist or the API key may not see it:
 * Postman does not distinguish the two. Other calls fail in that case.
 */
export interface PostmanCall<T, Missing extends null = never> extends Call<T> {
  readonly route: PostmanRoute;
  /** The value that stands for a 404; absent: a 404 is an error. */
  readonly whenMissing?: Missing;
  /** The value of this call in a dry run. null: the object does not exist in that world. */
  simulate(world: SimulatedWorld): T | Missing;
  /**
   * Empties the large parts of a cached value that lead to no further call, for a dry run. Absent: the value has none.
   */
  withoutContents?(value: T): T;
  /** The contents of workspaces that the response shows. Absent: it shows none. */
  contents?(value: T): readonly ShownContents[];
  /** The id of the API key's owner, where the response says who that is. */
  keyOwnerIn?(value: T): string;
}

/** The list that a route returns; undefined: it returns a single object. */
export const listedBy = (route: PostmanRoute) => listOf(route, 'summary');

/** The list that contains the object that a route returns; undefined: no list does. */
export const listWith = (route: PostmanRoute) => listOf(route, 'detail');

/** The list of the first type that a route carries at this level. */
function listOf({ carries }: PostmanRoute, level: 'summary' | 'detail'): ListName | undefined {
  for (const { type, levels } of carries) if (type !== 'User' && levels.includes(level)) return leveledTypes[type].list;
  return undefined;
}
