import { type JsonObject, JsonTooDeepError } from './json.ts';

/**
 * Maps the members of an object. Returns the very same object if `change` returns every member unchanged.
 *
 * @param levels - How many levels of objects and lists the object may have; its members may have one less.
 * @throws {JsonTooDeepError} If `levels` is 0.
 */
export function mapMembers(
  object: JsonObject,
  levels: number,
  change: (value: unknown, key: string, levels: number) => unknown,
): JsonObject {
  if (levels <= 0) throw new JsonTooDeepError();
  let copy = object;
  for (const key of Object.keys(object)) {
    const value = object[key];
    const changed = change(value, key, levels - 1);
    if (changed === value) continue;
    if (copy === object) copy = { ...object };
    // Plain assignment to a key `__proto__` would change the copy's prototype.
    Object.defineProperty(copy, key, { value: changed, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** Like `mapMembers`, for the elements of a list. */
export function mapElements(
  list: readonly unknown[],
  levels: number,
  change: (element: unknown, levels: number) => unknown,
): readonly unknown[] {
  if (levels <= 0) throw new JsonTooDeepError();
  let copy: unknown[] | undefined;
  for (const [index, element] of list.entries()) {
    const changed = change(element, levels - 1);
    if (changed === element) continue;
    copy ??= [...list];
    copy[index] = changed;
  }
  return copy ?? list;
}
