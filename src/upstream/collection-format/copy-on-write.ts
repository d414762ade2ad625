import type { JsonObject } from './json.ts';

/** Gives an object with its members changed; the very same object where `change` gives back each of them. */
export function mapMembers(object: JsonObject, change: (value: unknown, key: string) => unknown): JsonObject {
  let copy = object;
  for (const key of Object.keys(object)) {
    const value = object[key];
    const changed = change(value, key);
    if (changed === value) continue;
    if (copy === object) copy = { ...object };
    // Plain assignment to a key `__proto__` would change the copy's prototype.
    Object.defineProperty(copy, key, { value: changed, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** Gives a list with its elements changed; the very same list where `change` gives back each of them. */
export function mapElements<T>(list: readonly T[], change: (element: T) => T): readonly T[] {
  let copy: T[] | undefined;
  for (const [index, element] of list.entries()) {
    const changed = change(element);
    if (changed === element) continue;
    copy ??= [...list];
    copy[index] = changed;
  }
  return copy ?? list;
}
