import type { Steps } from '../../steps.ts';

/** A JSON object nobody has checked: every member may be missing or of any type. */
export type JsonObject = { readonly [key: string]: unknown };

/** Levels of objects and lists that a value may have. Real collections stay below 30; writing JSON overflows the stack at some thousands. */
export const MAX_JSON_DEPTH = 500;

/** Thrown where a value would have to be written out that is nested deeper than `MAX_JSON_DEPTH`. */
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

/** Gives a list as it is, and an empty one for everything else. */
export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Writes a value as text: text as it is, numbers and booleans in digits and words, lists and objects as compact JSON.
 *
 * @returns null for null, for a missing value, and for one nested deeper than `MAX_JSON_DEPTH`.
 */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null || isTooDeep(value)) return null;
  return JSON.stringify(value);
}

/** Reads a name as text: numbers and booleans as `toText` writes them; null for lists and objects, which name nothing, and for null. */
export function toName(value: unknown): string | null {
  return typeof value === 'object' ? null : toText(value);
}

/** Reads an id: text that is not empty, or a number, as ids of people and teams are in some answers; null otherwise. */
export function toId(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Reads a number, also one written as text; null for everything else and for what is not finite. */
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
 * Hands a value on once it is known that it can be written out.
 *
 * @returns The value itself; null for a missing one.
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`.
 */
export function toWritableJson(value: unknown): unknown {
  if (isTooDeep(value)) throw new JsonTooDeepError();
  return value ?? null;
}

/**
 * The same for a part of a value.
 *
 * @param levels - It may have.
 */
export function toWritablePart<T>(value: T, levels: number): T {
  if (isTooDeep(value, levels)) throw new JsonTooDeepError();
  return value;
}

/** How large a JSON value is. */
export interface JsonSize {
  /** Objects, lists, texts, numbers, booleans and nulls, itself with them. */
  readonly values: number;
  /** Characters of its JSON text, or a few more. */
  readonly length: number;
}

// Visited in a tenth of a millisecond.
const VALUES_PER_STEP = 1_000;
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;

/** Measures a value, however deep it is nested. */
export function* measureJson(json: unknown): Steps<JsonSize> {
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
  return { values, length };
}

/** How long a text is in JSON, with its quotes: escaped, it is up to six times as long. */
export function textLength(text: string): number {
  return ESCAPED.test(text) ? JSON.stringify(text).length : text.length + 2;
}
