import {
  type ServiceResponse,
  toQuotaExhausted,
  toQuotaHeaders,
  toNaturalError,
  toTooManyRequests,
} from './behaviors.ts';

/**
 * Every known form of a 429 of the Postman API. They differ in how they say how long to wait, if they say so at all.
 * The first three are complete responses, each of one generation of the API. The others, except `monthly`, have at most
 * one hint, in one header.
 */
export const refusalSpellings = [
  'v2017',
  'epoch-seconds-text',
  'problem',
  'retry-after',
  'retry-after-date',
  'RetryAfter',
  'x-ratelimit-retryafter',
  'ratelimit-reset-of-draft',
  'ratelimit-reset-delta',
  'ratelimit-reset-epoch',
  'x-ratelimit-reset-epoch',
  'no-hint',
  'monthly',
] as const;

/** One of {@link refusalSpellings}. */
export type RefusalSpelling = (typeof refusalSpellings)[number];

/**
 * A 429 in one of its spellings.
 *
 * @param waitSeconds - How long it says to wait; `monthly` and `no-hint` do not say.
 * @param epochMs - Wall-clock time of the response. Absolute times count from it and are rounded up, so they are never
 * early.
 */
export function toRefusal(spelling: RefusalSpelling, waitSeconds: number, epochMs: number): ServiceResponse {
  const atMs = epochMs + waitSeconds * 1000;
  const atSeconds = String(Math.ceil(atMs / 1000));
  switch (spelling) {
    case 'v2017':
      return {
        ...toTooManyRequests('v2017', waitSeconds * 1000, epochMs),
        headers: { 'X-RateLimit-Reset': atSeconds },
      };
    case 'epoch-seconds-text':
      return {
        status: 429,
        body: { error: 'rateLimited', message: `Rate limit exceeded, please retry after ${atSeconds}` },
        contentType: 'application/json; charset=utf-8',
      };
    case 'problem':
      return toTooManyRequests('current', waitSeconds * 1000, epochMs);
    case 'retry-after':
      return toBareRefusal({ 'Retry-After': String(waitSeconds) });
    case 'retry-after-date':
      return toBareRefusal({ 'Retry-After': new Date(Math.ceil(atMs / 1000) * 1000).toUTCString() });
    case 'RetryAfter':
      return toBareRefusal({ RetryAfter: String(waitSeconds) });
    case 'x-ratelimit-retryafter':
      return toBareRefusal({ 'X-RateLimit-RetryAfter': String(waitSeconds) });
    case 'ratelimit-reset-of-draft':
      return toBareRefusal({ RateLimit: `limit=60, remaining=0, reset=${waitSeconds}` });
    case 'ratelimit-reset-delta':
      return toBareRefusal({ 'RateLimit-Reset': String(waitSeconds) });
    case 'ratelimit-reset-epoch':
      return toBareRefusal({ 'RateLimit-Reset': atSeconds });
    case 'x-ratelimit-reset-epoch':
      return toBareRefusal({ 'X-RateLimit-Reset': atSeconds });
    case 'no-hint':
      return toBareRefusal({});
    case 'monthly':
      return {
        ...toQuotaExhausted('current'),
        headers: toQuotaHeaders({ limit: 10_000, remaining: 0 }),
      };
    default:
      return spelling satisfies never;
  }
}

function toBareRefusal(headers: Record<string, string>): ServiceResponse {
  return { ...toNaturalError('current', 429), headers };
}
