import type { Steps } from '../../steps.ts';

/** An unchecked JSON object: every member may be missing or of any type. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * Maximum number of levels of objects and lists in a value. Real collections stay below 30; `JSON.stringify` overflows
 * the stack at a few thousand.
 */
export const MAX_JSON_DEPTH = 500;

/** Thrown for a value that cannot be serialised because it is nested deeper than `MAX_JSON_DEPTH`. */
export class JsonTooDeepError extends Error {
  override name = 'JsonTooDeepError';

  constructor() {
    super(`The value is nested deeper than ${MAX_JSON_DEPTH} levels.`);
  }
}

/** Whether a value is a JSON object; lists and null are not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a list unchanged, and an empty list for everything else. */
export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Converts a value to text: text unchanged, numbers and booleans as JavaScript prints them, lists and objects as
 * compact JSON.
 *
 * @returns null for null, for a missing value, and for one nested deeper than `MAX_JSON_DEPTH`.
 */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null || isTooDeep(value)) return null;
  return JSON.stringify(value);
}

/** Reads a name as text: numbers and booleans as in `toText`; null for lists, objects and null, which are not names. */
export function toName(value: unknown): string | null {
  return typeof value === 'object' ? null : toText(value);
}

/** Reads an id: non-empty text, or a number, which user and team ids are in some responses; null otherwise. */
export function toId(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Reads a finite number, also one written as text; null for everything else. */
export function toNumber(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** Whether a value has more than `levels` levels of objects and lists. */
function isTooDeep(value: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels <= 0) return true;
  return Object.values(value).some((member) => isTooDeep(member, levels - 1));
}

/**
 * Checks that a whole value can be serialised.
 *
 * @returns The value itself; null for a missing one.
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`.
 */
export function toWritableJson(value: unknown): unknown {
  if (isTooDeep(value)) throw new JsonTooDeepError();
  return value ?? null;
}

/**
 * Checks that a part of a value can be serialised, and returns it.
 *
 * @param levels - How many levels of objects and lists the part may have.
 * @throws {JsonTooDeepError} If it has more.
 */
export function toWritablePart<T>(value: T, levels: number): T {
  if (isTooDeep(value, levels)) throw new JsonTooDeepError();
  return value;
}

// Visiting these takes a tenth of a millisecond.
const VALUES_PER_STEP = 1_000;
// Every character but those that JSON escapes: quotes, backslashes, control characters, and lone surrogates. A class
// without the flag `u` is several times as fast; it also finds surrogate pairs, which only makes those slower.
const ESCAPED = /[^ !#-[\]-\uD7FF\uE000-\uFFFF]/;

/**
 * Counts the objects, lists, strings, numbers, booleans and nulls in a value nested to any depth, including the value
 * itself. It yields after every 1,000 values.
 */
export function* countJson(json: unknown): Steps<number> {
  const open: unknown[] = [json];
  let values = 1;
  let counted = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    values += members.length;
    for (const member of members) if (typeof member === 'object' && member !== null) open.push(member);
    if (values - counted < VALUES_PER_STEP) continue;
    counted = values;
    yield;
  }
  return values;
}

/**
 * Measures the JSON text of a value nested to any depth: its length in characters, or slightly more. It yields after
 * every 1,000 values.
 */
export function* measureJson(json: unknown): Steps<number> {
  const open: unknown[] = [json];
  let values = 0;
  let length = 0;
  while (open.length > 0) {
    const value = open.pop();
    values += 1;
    if (values % VALUES_PER_STEP === 0) yield;
    if (typeof value !== 'object' || value === null) {
      length += typeof value === 'string' ? textLength(value) : String(value).length;
    } else if (Array.isArray(value)) {
      length += 2 + value.length;
      for (const element of value as readonly unknown[]) open.push(element);
    } else {
      length += 2;
      for (const [key, member] of Object.entries(value)) {
        length += textLength(key) + 2;
        open.push(member);
      }
    }
  }
  return length;
}

/** Length of a string in JSON, including quotes and escapes, which can make it six times as long. */
export function textLength(text: string): number {
  return ESCAPED.test(text) ? JSON.stringify(text).length : text.length + 2;
}
