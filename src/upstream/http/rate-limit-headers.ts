import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';

/** Headers of a response, as undici returns them: lower-case names, and a list for a header that is repeated. */
export type ResponseHeaders = Dispatcher.ResponseData['headers'];

/** One rate-limit window that a response announces. Missing and unreadable values are absent. */
export interface AnnouncedWindow {
  /** Calls per window, at least 1. */
  readonly limit?: number;
  /** Calls left in the window, at least 0. */
  readonly remaining?: number;
  /** Milliseconds until the window resets, at least 0. */
  readonly resetInMs?: number;
  /** Length of the window, from 1 ms to 24 hours. */
  readonly windowMs?: number;
}

/** The rate limits and the monthly quota that a response announces for the API key. */
export interface AnnouncedRateLimit {
  /** At most 8; each has at least one of limit, remaining count and reset. */
  readonly windows: readonly AnnouncedWindow[];
  /** Calls per month; absent where the plan has no monthly limit. */
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

const MAX_HEADER_LENGTH = 1024;
const MAX_WINDOWS = 8;
// The largest signed 32-bit integer, which every client can hold.
const MAX_COUNT = 2_147_483_647;
const MAX_WINDOW_MS = 24 * 60 * 60 * 1000;
const MAX_WAIT_MS = 31 * 24 * 60 * 60 * 1000;
// A plan without a monthly limit announces this number.
const UNLIMITED_MONTH = 99_999_999;

/** What one header, or one item of a header, says about a window. */
interface ParsedWindow {
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  readonly resetInMs?: number | undefined;
  readonly windowMs?: number | undefined;
}

/**
 * Parses the rate-limit windows and the monthly quota out of all known header formats.
 *
 * `RateLimit` describes windows, each matched to the policy with its name (`"default";r=299;t=52, "burst";r=3;t=4`) or
 * with its limit (`limit=300, remaining=299, reset=52`). `RateLimit-Limit`, `-Remaining` and `-Reset`, with or without
 * `X-`, describe one window: the one with that limit, or else that of the only policy. A policy (`300;w=60`,
 * `"default";q=300;w=60`) that nothing matches is a window of its own. If formats disagree, the first one counts; for
 * limits, the lower one. Windows longer than a day are not rate limits and are left out.
 *
 * @param senderMs - The sender's clock, which epoch resets refer to, as `responseClockMs` reads it.
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
 * Reads one header as a single string.
 *
 * @returns Repeated headers joined by commas; undefined if it is missing or longer than 1,024 characters.
 */
export function readHeader(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  const text = Array.isArray(value) ? value.join(', ') : value;
  return typeof text === 'string' && text.length <= MAX_HEADER_LENGTH ? text.trim() : undefined;
}

/** Reads the number that a header starts with (`300`, `-5`, `300;w=60`, `7, 7`); undefined if it starts otherwise. */
export function leadingNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const digits = /^([+-]?\d{1,15}(?:\.\d{1,9})?)\s*(?:[,;]|$)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Parses an HTTP date, in any of its three formats, into epoch milliseconds; undefined for anything else. */
export function parseHttpDateMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // Date.parse alone accepts nearly anything, even "7".
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[^:]{1,30}\d\d:\d\d:\d\d/.test(text)) return undefined;
  const dateMs = Date.parse(`${text.replace(/GMT.*/s, '')} GMT`);
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** The sender's clock when it responded (the `Date` header), or else ours; epoch milliseconds. */
export function responseClockMs(headers: ResponseHeaders, nowMs: number): number {
  return parseHttpDateMs(readHeader(headers, 'date')) ?? nowMs;
}

/** Turns a time difference into a wait: 0 if it has passed, undefined if it exceeds 31 days, which no limit does. */
export function toWaitMs(differenceMs: number): number | undefined {
  return differenceMs > MAX_WAIT_MS ? undefined : Math.max(0, Math.ceil(differenceMs));
}

/** Merges everything that the headers say about the same window. */
function parseWindows(headers: ResponseHeaders, senderMs: number): AnnouncedWindow[] {
  // Every one of them has this in its name; many responses have none.
  if (!Object.keys(headers).some((name) => name.includes('ratelimit'))) return [];
  const number = (name: string) => leadingNumber(readHeader(headers, name));
  const separate: ParsedWindow = {
    limit: firstCount(1, number('ratelimit-limit'), number('x-ratelimit-limit')),
    remaining: firstCount(0, number('ratelimit-remaining'), number('x-ratelimit-remaining')),
    resetInMs: toResetMs(number('ratelimit-reset'), senderMs) ?? toResetMs(number('x-ratelimit-reset'), senderMs),
  };
  const policies = parsePolicies(readHeader(headers, 'ratelimit-policy'));
  const [first, second] = policies.filter(isRateWindow);
  const onlyPolicy = second === undefined ? first : undefined;
  const policyOf = ({ name, limit }: ParsedWindow) => {
    if (name === undefined && limit === undefined) return onlyPolicy;
    return policies.find((policy) => (name === undefined ? policy.limit === limit : policy.name === name));
  };
  const matched = new Set<ParsedWindow | undefined>();
  const withPolicy = (parsed: ParsedWindow, policy: ParsedWindow | undefined = policyOf(parsed)) => {
    matched.add(policy);
    return mergeWindows(parsed, policy);
  };

  const windows = parseServiceLimits(readHeader(headers, 'ratelimit'), senderMs)
    .map((serviceLimit) => withPolicy(serviceLimit))
    .filter(isRateWindow);
  const isOnly = windows.length === 1;
  const matchIndex = windows.findIndex(
    ({ limit }) => separate.limit === undefined || limit === separate.limit || (limit === undefined && isOnly),
  );
  if (matchIndex < 0) windows.push(withPolicy(separate, policyOf(separate) ?? onlyPolicy));
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

/** Parses `RateLimit`, whose items its specification calls service limits. */
function parseServiceLimits(text: string | undefined, senderMs: number): ParsedWindow[] {
  const items = parseItems(text);
  const named = items.filter(({ params }) => params.has('r') || params.has('t'));
  const combined: Map<string, number>[] = [];
  for (const [key, value] of items.flatMap(({ params }) => [...params])) {
    if (!['limit', 'remaining', 'reset'].includes(key)) continue;
    const last = combined.at(-1);
    // A repeated key starts the next window.
    if (last === undefined || last.has(key)) combined.push(new Map([[key, value]]));
    else last.set(key, value);
  }
  return [...named, ...combined.map((params) => ({ bare: undefined, params }))].map(({ bare, params }) => ({
    name: bare,
    limit: firstCount(1, params.get('limit')),
    remaining: firstCount(0, params.get('r'), params.get('remaining')),
    resetInMs: toResetMs(params.get('t') ?? params.get('reset'), senderMs),
  }));
}

/** Resets come as epoch milliseconds, epoch seconds or seconds from now; their size tells which. */
function toResetMs(reset: number | undefined, senderMs: number): number | undefined {
  if (reset === undefined) return undefined;
  if (reset >= 1e12) return toWaitMs(reset - senderMs);
  return toWaitMs(reset >= 1e9 ? reset * 1000 - senderMs : reset * 1000);
}

function firstCount(least: 0 | 1, ...candidates: readonly (number | undefined)[]): number | undefined {
  for (const candidate of candidates) {
    // A negative remaining count means 0; a limit of 0 is a mistake, so the next candidate is used.
    const count = Math.min(MAX_COUNT, Math.max(0, Math.floor(candidate ?? Number.NaN)));
    if (count >= least) return count;
  }
  return undefined;
}

interface Item {
  /** The part without `=`: a name, or a limit. */
  readonly bare: string | undefined;
  readonly params: ReadonlyMap<string, number>;
}

/** Splits `a;q=1;w=2, b;q=3` into items, each with its numeric parameters. */
function parseItems(text: string | undefined): Item[] {
  if (text === undefined) return [];
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
