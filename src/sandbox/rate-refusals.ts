import {
  type ServiceResponse,
  toQuotaExhausted,
  toQuotaHeaders,
  toNaturalError,
  toTooManyRequests,
} from './behaviors.ts';

/**
 * Every way in which a 429 of the Postman API has told, or failed to tell, how long to wait. Apart from the first three,
 * which are whole generations of the answer, each gives its one hint in that one place and nowhere else.
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
 * @param waitSeconds - The wait it names; the monthly one and the one without a hint name none.
 * @param epochMs - Wall-clock time of the answer, which absolute times count from. They are rounded up, never early.
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
