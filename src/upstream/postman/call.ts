import type { ObservedSizes } from './list-sizes.ts';
import type { RouteClass } from './route-class.ts';

/** A route of the Postman API. */
export interface Route {
  /** For example `/collections/{uid}`. */
  readonly template: string;
  readonly routeClass: RouteClass;
}

/** One GET to be made, and how its body is read. Equal targets are equal calls. */
export interface Call<T> {
  readonly route: Route;
  /** Path and query, encoded. */
  readonly target: string;
  /** @throws {UnexpectedShapeError} for a body that is not what the route answers with. */
  readonly parse: (body: unknown) => T;
  /** When what a single read answers with was last changed. */
  updatedAtOf?(value: T): string | null;
  /** The single reads whose things a list shows, by target, with when each was last changed. */
  listedUpdates?(value: T): Iterable<readonly [target: string, updatedAt: string | null]>;
  /** How long lists are, as the answer shows it. */
  sizes?(value: T): ObservedSizes;
}
