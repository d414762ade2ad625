/** A JSON object nobody has checked. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object; lists and null are not. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Gives an object as it is, and an empty one for everything else. */
export function toRecord(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** Gives the objects of a list; none for everything else. */
export function toRecords(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
