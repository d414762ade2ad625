import { isJsonObject, type JsonObject, toList, toNumber } from '../syntax/json.ts';
import { toRequestDefinition } from './request-definition.ts';

const MAX_INT = 2_147_483_647;

/** Reads the saved responses of a request item, which calls them `response` or `responses`. Each is left as it came. */
export function examplesOf(item: JsonObject): JsonObject[] {
  return toList(item.response ?? item.responses).filter(isJsonObject);
}

/** Gives the status code of a saved response; null where it has none, or no whole number of 32 bits. */
export function exampleCode(example: JsonObject): number | null {
  const code = toNumber(example.code);
  return code !== null && Number.isInteger(code) && Math.abs(code) <= MAX_INT ? code : null;
}

/** Gives the request a response was saved with; null where it was saved without. */
export function originalRequestOf(example: JsonObject): JsonObject | null {
  const { originalRequest } = example;
  return typeof originalRequest === 'string' || isJsonObject(originalRequest)
    ? toRequestDefinition(originalRequest)
    : null;
}
