import { GraphQLError } from 'graphql';
import { JsonTooDeepError } from '../../upstream/collection-format/syntax/json.ts';

/**
 * Makes a value for a `JSON` field, and the error that says why it cannot be written out.
 *
 * @throws {GraphQLError} UPSTREAM_BAD_RESPONSE where `make` fails with a `JsonTooDeepError`.
 */
export function toJsonValue<T>(make: () => T | Promise<T>): T | Promise<T> {
  try {
    const value = make();
    return value instanceof Promise ? value.then(withoutThen, refuse) : withoutThen(value);
  } catch (error) {
    return refuse(error);
  }
}

/**
 * Tells whether something is withheld. What cannot be written out is not: its own field says why it is not there, and one that may not be null
 * would take everything around it along.
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

/** The executor takes whatever has a `then` for a promise; written as JSON, what this gives is the same as the value. */
function withoutThen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || !('then' in value)) return value;
  return { toJSON: () => value } as T;
}
