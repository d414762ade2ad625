import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';

/** Headers of an answer as undici gives them: lower-case names, a list where a header came more than once. */
export type ResponseHeaders = Dispatcher.ResponseData['headers'];

/** One window that an answer announces. What it does not say, or says unreadably, is absent. */
export interface AnnouncedWindow {
  /** Calls per window, at least 1. */
  readonly limit?: number;
  /** Calls left in the window, at least 0. */
  readonly remaining?: number;
  /** Milliseconds until the window starts anew, at least 0. */
  readonly resetInMs?: number;
  /** At least 1, at most 24 hours. */
  readonly windowMs?: number;
}

/** What an answer announces about the budget of the key. */
export interface AnnouncedRateLimit {
  /** At most 8, each with a limit, a remaining count or a reset at least. */
  readonly windows: readonly AnnouncedWindow[];
  /** Calls per month; absent where the plan has no limit. */
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

const MAX_HEADER_LENGTH = 1024;
const MAX_WINDOWS = 8;
// The largest whole number that every reader of a count can hold.
const MAX_COUNT = 2_147_483_647;
const MAX_WINDOW_MS = 24 * 60 * 60 * 1000;
const MAX_WAIT_MS = 31 * 24 * 60 * 60 * 1000;
// A plan without a monthly limit announces this number.
const UNLIMITED_MONTH = 99_999_999;

/** What one header, or one item of it, tells of a window. */
interface ParsedWindow {
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  readonly resetInMs?: number | undefined;
  readonly windowMs?: number | undefined;
}

/**
 * Reads every window that is announced, in every spelling.
 *
 * `RateLimit` tells of windows that belong to the policy of their name (`"default";r=299;t=52, "burst";r=3;t=4`) or of
 * their limit (`limit=300, remaining=299, reset=52`). `RateLimit-Limit`, `-Remaining` and `-Reset`, and the same with `X-`
 * before them, tell of one window: the one with that limit, or else that of the only policy. A policy (`300;w=60`,
 * `"default";q=300;w=60`) that nothing belongs to is a window by itself. Where spellings differ the first counts, of
 * limits the lower. What lasts longer than a day is no rate limit and is left out.
 *
 * @param senderMs - The clock in which resets are given, as `responseClockMs` reads it.
 */
export function parseRateLimitHeaders(headers: ResponseHeaders, senderMs: number): AnnouncedRateLimit {
  const number = (name: string) => leadingNumber(readHeader(headers, name));
  const announcedMonth = firstCount(1, number('ratelimit-limit-month'), number('x-ratelimit-limit-month'));
  const unlimited = (announcedMonth ?? 0) >= UNLIMITED_MONTH;
  const monthLimit = unlimited ? undefined : announcedMonth;
  const monthRemaining = unlimited
    ? undefined
    : firstCount(0, number('ratelimit-remaining-month'), number('x-ratelimit-remaining-month'));
  return {
    windows: parseWindows(headers, senderMs),
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
export function leadingNumber(text = ''): number | undefined {
  const digits = /^([+-]?\d{1,15}(?:\.\d{1,9})?)\s*(?:[,;]|$)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Reads a date as HTTP writes it, in any of its three forms, into epoch milliseconds. */
export function parseHttpDateMs(text = ''): number | undefined {
  // Date.parse alone reads nearly anything, "7" too.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[^:]{1,30}\d\d:\d\d:\d\d/.test(text)) return undefined;
  const dateMs = Date.parse(`${text.replace(/GMT.*/s, '')} GMT`);
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

/** Tells which of the things told are of one window, and brings them together. */
function parseWindows(headers: ResponseHeaders, clockMs: number): AnnouncedWindow[] {
  const number = (name: string) => leadingNumber(readHeader(headers, name));
  const separate: ParsedWindow = {
    limit: firstCount(1, number('ratelimit-limit'), number('x-ratelimit-limit')),
    remaining: firstCount(0, number('ratelimit-remaining'), number('x-ratelimit-remaining')),
    resetInMs: toResetMs(number('ratelimit-reset'), clockMs) ?? toResetMs(number('x-ratelimit-reset'), clockMs),
  };
  const policies = parsePolicies(readHeader(headers, 'ratelimit-policy'));
  const [first, second] = policies.filter(isRateWindow);
  const single = second === undefined ? first : undefined;
  const policyOf = ({ name, limit }: ParsedWindow) => {
    if (name === undefined && limit === undefined) return single;
    return policies.find((policy) => (name === undefined ? policy.limit === limit : policy.name === name));
  };
  const matched = new Set<ParsedWindow | undefined>();
  const withPolicy = (parsed: ParsedWindow, policy: ParsedWindow | undefined = policyOf(parsed)) => {
    matched.add(policy);
    return mergeWindows(parsed, policy);
  };

  const windows = parseServices(readHeader(headers, 'ratelimit'), clockMs)
    .map((service) => withPolicy(service))
    .filter(isRateWindow);
  const isOnly = windows.length === 1;
  const matchIndex = windows.findIndex(
    ({ limit }) => separate.limit === undefined || limit === separate.limit || (limit === undefined && isOnly),
  );
  if (matchIndex < 0) windows.push(withPolicy(separate, policyOf(separate) ?? single));
  else windows.splice(matchIndex, 1, mergeWindows(windows[matchIndex], separate));
  windows.push(...policies.filter((policy) => !matched.has(policy)));
  return windows
    .filter((window) => isRateWindow(window) && (window.limit ?? window.remaining ?? window.resetInMs) !== undefined)
    .map(toWindow)
    .filter((window, index, all) => all.findIndex((other) => isDeepStrictEqual(other, window)) === index)
    .slice(0, MAX_WINDOWS);
}

function isRateWindow({ windowMs = 0 }: ParsedWindow): boolean {
  return windowMs <= MAX_WINDOW_MS;
}

function mergeWindows(parsed: ParsedWindow = {}, other: ParsedWindow = {}): ParsedWindow {
  const limit = Math.min(parsed.limit ?? Infinity, other.limit ?? Infinity);
  return {
    limit: limit === Infinity ? undefined : limit,
    remaining: parsed.remaining ?? other.remaining,
    resetInMs: parsed.resetInMs ?? other.resetInMs,
    windowMs: parsed.windowMs ?? other.windowMs,
  };
}

function toWindow({ limit, remaining, resetInMs, windowMs }: ParsedWindow): AnnouncedWindow {
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetInMs !== undefined && { resetInMs }),
    ...(windowMs !== undefined && { windowMs }),
  };
}

function parsePolicies(text: string | undefined): ParsedWindow[] {
  const policies = parseItems(text).map(({ bare, params }) => {
    const windowMs = Math.ceil((params.get('w') ?? 0) * 1000);
    const limit = firstCount(1, params.get('q'), leadingNumber(bare));
    return { name: bare, limit, windowMs: windowMs > 0 ? windowMs : undefined };
  });
  return policies.filter(({ limit, windowMs }) => (limit ?? windowMs) !== undefined);
}

function parseServices(text: string | undefined, clockMs: number): ParsedWindow[] {
  const items = parseItems(text);
  const named = items.filter(({ params }) => params.has('r') || params.has('t'));
  const combined: Map<string, number>[] = [];
  for (const [key, value] of items.flatMap(({ params }) => [...params])) {
    if (!['limit', 'remaining', 'reset'].includes(key)) continue;
    const last = combined.at(-1);
    // A key that comes again begins another window.
    if (last === undefined || last.has(key)) combined.push(new Map([[key, value]]));
    else last.set(key, value);
  }
  return [...named, ...combined.map((params) => ({ bare: undefined, params }))].map(({ bare, params }) => ({
    name: bare,
    limit: firstCount(1, params.get('limit')),
    remaining: firstCount(0, params.get('r'), params.get('remaining')),
    resetInMs: toResetMs(params.get('t') ?? params.get('reset'), clockMs),
  }));
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
    const count = Math.min(MAX_COUNT, Math.max(0, Math.floor(candidate ?? Number.NaN)));
    if (count >= least) return count;
  }
  return undefined;
}

interface Item {
  readonly bare: string | undefined;
  readonly params: ReadonlyMap<string, number>;
}

/** Splits `a;q=1;w=2, b;q=3` into its items, each with the numbers it carries. */
function parseItems(text = ''): Item[] {
  return text.split(',').map((item) => {
    const parts = item.split(';').map((part) => part.trim());
    const params = new Map<string, number>();
    for (const part of parts) {
      const [, key = '', value] = /^(\w+)\s*=\s*"?([^"]*)/.exec(part) ?? [];
      const number = leadingNumber(value);
      if (number !== undefined) params.set(key.toLowerCase(), number);
    }
    return { bare: parts.find((part) => !part.includes('='))?.replaceAll('"', ''), params };
  });
}
