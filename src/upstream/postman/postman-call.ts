import type { Call, Route } from './call.ts';
import { type Level, leveledTypes, type LeveledType, type ListName } from './levels.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What one item of an answer is: a type of the graph, and the levels at which the answer has it. */
export interface CarriedType {
  readonly type: 'User' | LeveledType;
  /** Absent: the type has no levels, the answer has all of it. */
  readonly levels?: readonly Level[];
}

/** A route of the Postman API, with what its answers carry. */
export interface PostmanRoute extends Route {
  readonly carries: readonly CarriedType[];
}

/**
 * One GET of a route.
 *
 * `Missing` is `null` for a call that is answered with null where the thing does not exist or is not shown to the key: upstream does not
 * tell the two apart. Other calls fail then.
 */
export interface PostmanCall<T, Missing extends null = never> extends Call<T> {
  readonly route: PostmanRoute;
  /** What a 404 stands for; absent: an error. */
  readonly whenMissing?: Missing;
  /** What the call is answered with in a dry run. null: the thing does not exist there. */
  simulate(world: SimulatedWorld): T | Missing;
  /** Leaves out of a cached answer what leads to no call and is large; absent: there is no such thing. */
  withoutContents?(value: T): T;
  /** The user whom the answer shows to be the owner of the key. */
  keyOwnerIn?(value: T): string;
}

/** Of what a route answers with a list; undefined: it answers with one thing. */
export const listedBy = (route: PostmanRoute) => listAt(route, 'summary');

/** The list that has such a thing as a route answers with; undefined: no list has. */
export const listWith = (route: PostmanRoute) => listAt(route, 'detail');

/** The list of the things that a route carries at a level. */
function listAt({ carries }: PostmanRoute, level: 'summary' | 'detail'): ListName | undefined {
  for (const { type, levels } of carries)
    if (type !== 'User' && levels?.includes(level)) return leveledTypes[type].list;
  return undefined;
}
