import { isJsonObject, type JsonObject, toList, toNumber } from '../syntax/json.ts';
import { toRequestDefinition } from './request-definition.ts';

const MAX_INT = 2_147_483_647;

/** Returns the saved responses of a request item, under `response` or `responses`, as Postman sent them. */
export function examplesOf(item: JsonObject): JsonObject[] {
  return toList(item.response ?? item.responses).filter(isJsonObject);
}

/** Returns the status code of a saved response; null where it is missing or not an integer of 32 bits. */
export function exampleCode(example: JsonObject): number | null {
  const code = toNumber(example.code);
  return code !== null && Number.isInteger(code) && Math.abs(code) <= MAX_INT ? code : null;
}

/** Returns the request that a response was saved with; null where there is none. */
export function originalRequestOf(example: JsonObject): JsonObject | null {
  const { originalRequest } = example;
  return typeof originalRequest === 'string' || isJsonObject(originalRequest)
    ? toRequestDefinition(originalRequest)
    : null;
}
