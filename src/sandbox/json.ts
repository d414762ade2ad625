/** A JSON object nobody has checked: every member may be missing or of any type. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is a JSON object; lists and null are not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Gives a list as it is, and an empty one for everything else. */
export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
