import type { Dispatcher } from 'undici';

/** Headers of an answer as undici gives them: lower-case names, a list where a header came more than once. */
export type ResponseHeaders = Dispatcher.ResponseData['headers'];

/** What an answer announces about the budget of the key. What it does not say, or says unreadably, is absent. */
export interface AnnouncedRateLimit {
  /** Calls per window, at least 1. */
  readonly limit?: number;
  /** Calls left in the window, at least 0. */
  readonly remaining?: number;
  /** Milliseconds until the window starts anew, at least 0. */
  readonly resetInMs?: number;
  readonly windowMs?: number;
  /** Calls per month; absent where the plan has no limit. */
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

const MAX_HEADER_LENGTH = 1024;
// The largest whole number that every reader of a count can hold.
const MAX_COUNT = 2_147_483_647;
const MAX_WAIT_MS = 31 * 24 * 60 * 60 * 1000;
// A plan without a monthly limit announces this number.
const UNLIMITED_MONTH = 99_999_999;

interface Policy {
  readonly name: string | undefined;
  readonly quota: number | undefined;
  readonly windowSeconds: number | undefined;
}

interface Service {
  readonly policy?: string | undefined;
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  readonly reset?: number | undefined;
}

/**
 * Reads every spelling in which a rate limit is announced.
 *
 * In this order: `RateLimit` (`limit=300, remaining=299, reset=52` or `"default";r=299;t=52`, each with its
 * `RateLimit-Policy`), the separate `RateLimit-Limit`, `-Remaining`, `-Reset`, and the same with `X-` before them.
 * Where `RateLimit` names several policies, the one with the fewest calls left counts.
 *
 * @param nowMs - Epoch milliseconds; the `Date` of the answer is used instead where there is one, because resets are given in the clock of the sender.
 */
export function parseRateLimitHeaders(headers: ResponseHeaders, nowMs: number): AnnouncedRateLimit {
  const clockMs = responseClockMs(headers, nowMs);
  const service = parseService(readHeader(headers, 'ratelimit'));
  const policies = parsePolicies(readHeader(headers, 'ratelimit-policy'));
  const number = (name: string) => leadingNumber(readHeader(headers, name));

  const named = policies.find((policy) => policy.name !== undefined && policy.name === service.policy);
  const limit = firstCount(
    1,
    service.limit,
    named?.quota,
    number('ratelimit-limit'),
    number('x-ratelimit-limit'),
    policies[0]?.quota,
  );
  const policy = named ?? policies.find(({ quota }) => quota === limit);
  const remaining = firstCount(0, service.remaining, number('ratelimit-remaining'), number('x-ratelimit-remaining'));
  const resetInMs =
    toResetMs(service.reset, clockMs) ??
    toResetMs(number('ratelimit-reset'), clockMs) ??
    toResetMs(number('x-ratelimit-reset'), clockMs);
  const windowMs = policy?.windowSeconds === undefined ? undefined : toWaitMs(policy.windowSeconds * 1000);

  const announcedMonth = firstCount(1, number('ratelimit-limit-month'), number('x-ratelimit-limit-month'));
  const unlimited = announcedMonth !== undefined && announcedMonth >= UNLIMITED_MONTH;
  const monthLimit = unlimited ? undefined : announcedMonth;
  const monthRemaining = unlimited
    ? undefined
    : firstCount(0, number('ratelimit-remaining-month'), number('x-ratelimit-remaining-month'));
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetInMs !== undefined && { resetInMs }),
    ...(windowMs !== undefined && windowMs > 0 && { windowMs }),
    ...(monthLimit !== undefined && { monthLimit }),
    ...(monthRemaining !== undefined && { monthRemaining }),
  };
}

/**
 * Reads one header as one text.
 *
 * @returns Repeated headers joined by commas; undefined for one that is missing or longer than any of ours can be.
 */
export function readHeader(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = Array.isArray(value) ? value.join(', ') : value;
  return typeof text === 'string' && text.length <= MAX_HEADER_LENGTH ? text.trim() : undefined;
}

/** Reads the number a header begins with (`300`, `-5`, `300;w=60`, `7, 7`); undefined where it begins with anything else. */
export function leadingNumber(text: string | undefined): number | undefined {
  const digits = text === undefined ? undefined : /^([+-]?\d{1,15}(?:\.\d{1,9})?)\s*(?:[,;]|$)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Reads a date as HTTP writes it, in any of its three forms, into epoch milliseconds. */
export function parseHttpDateMs(text: string | undefined): number | undefined {
  // Date.parse alone reads nearly anything, "7" too.
  if (text === undefined || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[^:]{1,30}\d\d:\d\d:\d\d/.test(text)) return undefined;
  const dateMs = Date.parse(`${text.split('GMT', 1)[0] ?? ''} GMT`);
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** The sender's clock at the time of the answer (its `Date`), or else ours; epoch milliseconds. */
export function responseClockMs(headers: ResponseHeaders, nowMs: number): number {
  return parseHttpDateMs(readHeader(headers, 'date')) ?? nowMs;
}

/** Makes a difference of times a wait: 0 if it has passed, undefined if it is longer than 31 days, which no limit lasts. */
export function toWaitMs(differenceMs: number): number | undefined {
  return differenceMs > MAX_WAIT_MS ? undefined : Math.max(0, Math.ceil(differenceMs));
}

/** Tells epoch milliseconds, epoch seconds and seconds from now apart by their size. */
function toResetMs(reset: number | undefined, clockMs: number): number | undefined {
  if (reset === undefined) return undefined;
  if (reset >= 1e12) return toWaitMs(reset - clockMs);
  return toWaitMs(reset >= 1e9 ? reset * 1000 - clockMs : reset * 1000);
}

function firstCount(least: 0 | 1, ...candidates: readonly (number | undefined)[]): number | undefined {
  for (const candidate of candidates) {
    // Below zero, what is left is nothing; a limit of nothing is a mistake.
    const count = candidate === undefined ? undefined : Math.min(MAX_COUNT, Math.max(0, Math.floor(candidate)));
    if (count !== undefined && count >= least) return count;
  }
  return undefined;
}

interface Item {
  readonly bare: string | undefined;
  readonly params: ReadonlyMap<string, number>;
}

/** Splits `a;q=1;w=2, b;q=3` into its items, each with the numbers it carries. */
function parseItems(text: string | undefined): Item[] {
  return (text?.split(',') ?? []).map((item) => {
    const parts = item.split(';').map((part) => part.trim());
    const params = new Map<string, number>();
    for (const part of parts) {
      const equals = part.indexOf('=');
      const value = equals < 0 ? undefined : leadingNumber(unquoted(part.slice(equals + 1).trim()));
      if (value !== undefined) params.set(part.slice(0, equals).trim().toLowerCase(), value);
    }
    const first = parts[0] ?? '';
    return { bare: first === '' || first.includes('=') ? undefined : unquoted(first), params };
  });
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function parsePolicies(text: string | undefined): Policy[] {
  return parseItems(text).map(({ bare, params }) => ({
    name: bare,
    quota: params.get('q') ?? leadingNumber(bare),
    windowSeconds: params.get('w'),
  }));
}

function parseService(text: string | undefined): Service {
  const items = parseItems(text);
  const together = new Map(items.flatMap(({ params }) => [...params]));
  if (together.has('limit') || together.has('remaining') || together.has('reset')) {
    return { limit: together.get('limit'), remaining: together.get('remaining'), reset: together.get('reset') };
  }
  let tightest: Service = {};
  for (const { bare, params } of items) {
    const remaining = params.get('r');
    if (remaining === undefined) continue;
    const reset = params.get('t');
    const left = tightest.remaining ?? Infinity;
    if (remaining < left || (remaining === left && (reset ?? 0) > (tightest.reset ?? 0))) {
      tightest = { policy: bare, remaining, reset };
    }
  }
  return tightest;
}
