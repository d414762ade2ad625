import { GraphQLError } from 'graphql';
import { maskAnything } from '../../upstream/collection-format/masking/mask-secrets.ts';
import { JsonTooDeepError, toWritableJson } from '../../upstream/collection-format/syntax/json.ts';

/**
 * Makes the value of a `JSON` field.
 *
 * @param make - Returns the value, or a promise of it.
 * @throws {GraphQLError} UPSTREAM_BAD_RESPONSE if `make` throws a `JsonTooDeepError`: the value is nested too deeply
 *   to be written as JSON.
 */
export function toJsonValue<T>(make: () => T | Promise<T>): T | Promise<T> {
  try {
    const value = make();
    return value instanceof Promise ? value.then(withoutThen, refuse) : withoutThen(value);
  } catch (error) {
    return refuse(error);
  }
}

/** Makes the value of a field of settings (`protocolProfileBehavior`), masked unless secrets are revealed. */
export function toSettings(settings: unknown, revealSecrets: boolean): unknown {
  return toJsonValue(() => (revealSecrets ? toWritableJson(settings) : maskAnything(settings ?? null)));
}

/**
 * Calls `make`, which returns whether a value is withheld. Returns false if the value is nested too deeply: the field
 * of the value reports that error, and an error of this non-null field would null the object around it.
 */
export function toIsMasked(make: () => boolean): boolean {
  try {
    return make();
  } catch (error) {
    if (error instanceof JsonTooDeepError) return false;
    throw error;
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof JsonTooDeepError)) throw error;
  throw new GraphQLError(error.message, { extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: false } });
}

/**
 * Wraps an object that has a `then`, which the executor would take for a promise. The wrapper serializes to the same
 * JSON.
 */
function withoutThen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || !('then' in value)) return value;
  return { toJSON: () => value } as T;
}
