import type { Plugin } from 'graphql-yoga';
import { ERRORS_BY_CAUSE } from '../http/prefer.ts';
import { addVary } from '../http/vary.ts';
import { toRateLimitFields } from '../http/rate-limit-fields.ts';
import { limitsOf } from '../operation/operation-context.ts';
import type { RequestRecord } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that sets the response headers of operations. */
export function useResponseHeaders({ records, config }: PluginParts): Plugin {
  return {
    onResponse({ request, response }) {
      const record = records.get(request);
      if (record) setResponseHeaders(response.headers, record, limitsOf(record, config).maxWaitMs);
    },
  };
}

/**
 * Sets the headers of a response: what is left of the budget, when to retry, applied preferences, age and cacheability.
 *
 * @param headers - The headers to change.
 * @param maxWaitMs - The longest deadline that the client could request.
 */
export function setResponseHeaders(headers: Headers, record: RequestRecord, maxWaitMs: number): void {
  const { caller, operation, errors, preferences, isIncremental } = record;
  const { waitSeconds, areErrorsGrouped } = preferences;
  const snapshot = caller?.keyBudget.view.snapshot();
  if (snapshot) {
    const { policy, rateLimit } = toRateLimitFields(snapshot);
    headers.set('RateLimit-Policy', policy);
    headers.set('RateLimit', rateLimit);
  }
  if (errors.retryAfterSeconds !== undefined) headers.set('Retry-After', String(errors.retryAfterSeconds));
  if (waitSeconds !== undefined && operation) {
    headers.append('Preference-Applied', `wait=${Math.min(waitSeconds, Math.floor(maxWaitMs / 1_000))}`);
  }
  if (areErrorsGrouped) headers.append('Preference-Applied', ERRORS_BY_CAUSE);
  // A proxy that buffers or compresses parts would delay them.
  if (isIncremental) headers.set('X-Accel-Buffering', 'no');
  headers.set('Cache-Control', `private, no-store${isIncremental ? ', no-transform' : ''}`);
  addVary(headers, 'X-Api-Key', 'Authorization');
  const oldestMs = operation?.meter.ages.oldestMs();
  if (oldestMs !== undefined) headers.set('Age', String(Math.floor(oldestMs / 1_000)));
}
