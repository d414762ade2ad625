import type { ObservedSizes } from './list-sizes.ts';
import type { RouteClass } from './route-class.ts';

/** A route of the Postman API. */
export interface Route {
  /** For example `/collections/{uid}`. */
  readonly template: string;
  readonly routeClass: RouteClass;
}

/** One GET request, and how its body is parsed. Two calls with the same target are the same call. */
export interface Call<T> {
  readonly route: Route;
  /** Path and query, encoded. */
  readonly target: string;
  /** @throws {UnexpectedShapeError} For a body that does not have the shape of this route's responses. */
  readonly parse: (body: unknown) => T;
  /** How long a 403 is cached, in milliseconds. Absent: as briefly as other failures. */
  readonly forbiddenTtlMs?: number;
  /** Single reads: when the object was last changed, RFC 3339 in UTC; null where the response does not say. */
  updatedAtOf?(value: T): string | null;
  /** Lists: the target of the single read of each item, with when the item was last changed. */
  listedUpdates?(value: T): Iterable<readonly [target: string, updatedAt: string | null]>;
  /**
   * What the response shows, as in `subjects.ts`. undefined: Postman has refused the call. Absent: the response shows
   * nothing whose changes are reported.
   */
  subjects?(value: T | undefined): Iterable<string>;
  /** The lengths of lists that the response shows. */
  sizes?(value: T): ObservedSizes;
}
