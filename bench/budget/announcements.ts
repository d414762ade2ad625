/** One window as upstream sees it when it responds. */
export interface WindowState {
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** Time until the window resets, as responses announce it. */
  readonly resetMs: number;
}

/** The header formats that announce the remaining calls. The names appear in traces. */
export const ANNOUNCEMENTS = [
  'nothing',
  'X-RateLimit, epoch',
  'X-RateLimit, epoch, of the burst window too',
  'RateLimit and policy',
  'RateLimit and policy, of the burst window too',
  'RateLimit list',
  'RateLimit-, seconds',
] as const;

/** Name of a header format that announces the remaining calls. */
export type Announcement = (typeof ANNOUNCEMENTS)[number];

type Headers = Record<string, string>;

const seconds = (ms: number) => String(Math.ceil(ms / 1_000));
const epochSeconds = (epochMs: number, inMs: number) => String(Math.ceil((epochMs + inMs) / 1_000));

/**
 * Writes the headers of a response.
 *
 * @param burst - The state of the burst window, if the route has one.
 */
export function announce(
  announcement: Announcement,
  general: WindowState,
  burst: WindowState | undefined,
  epochMs: number,
): Headers {
  const date = { date: new Date(epochMs).toUTCString() };
  switch (announcement) {
    case 'nothing':
      return date;
    case 'X-RateLimit, epoch':
    case 'X-RateLimit, epoch, of the burst window too': {
      const announced = announcement === 'X-RateLimit, epoch' ? general : (burst ?? general);
      return {
        ...date,
        'x-ratelimit-limit': String(announced.limit),
        'x-ratelimit-remaining': String(announced.remaining),
        'x-ratelimit-reset': epochSeconds(epochMs, announced.resetMs),
      };
    }
    case 'RateLimit and policy':
    case 'RateLimit and policy, of the burst window too': {
      const announced = announcement === 'RateLimit and policy' ? general : (burst ?? general);
      return {
        ...date,
        ratelimit: `limit=${announced.limit}, remaining=${announced.remaining}, reset=${seconds(announced.resetMs)}`,
        'ratelimit-policy': `${announced.limit};w=${announced.windowMs / 1_000}`,
      };
    }
    case 'RateLimit list': {
      const announced = [['"minute"', general] as const, ...(burst ? [['"burst"', burst] as const] : [])];
      const list = (toText: (state: WindowState) => string) =>
        announced.map(([name, state]) => `${name}${toText(state)}`).join(', ');
      return {
        ratelimit: list(({ remaining, resetMs }) => `;r=${remaining};t=${seconds(resetMs)}`),
        'ratelimit-policy': list(({ limit, windowMs }) => `;q=${limit};w=${windowMs / 1_000}`),
      };
    }
    case 'RateLimit-, seconds':
      return {
        'ratelimit-limit': String(general.limit),
        'ratelimit-remaining': String(general.remaining),
        'ratelimit-reset': seconds(general.resetMs),
      };
  }
}

/** The formats in which a 429 says when to retry. */
export const REFUSALS = [
  'Retry-After, seconds',
  'Retry-After, date',
  'RetryAfter',
  'X-RateLimit-RetryAfter',
  'RateLimit, reset',
  'RateLimit list, t',
  'RateLimit-Reset, seconds',
  'RateLimit-Reset, epoch',
  'X-RateLimit-Reset, epoch',
  'text, epoch seconds',
  'text, epoch milliseconds',
  'nothing',
  'zero',
  'less than nothing',
  'hours',
  'a billion seconds',
  'words',
] as const;

/** Name of a format in which a 429 says when to retry. */
export type Refusal = (typeof REFUSALS)[number];

/** The formats that state the right time. */
export const TRUE_REFUSALS = REFUSALS.slice(0, 11) as readonly Refusal[] as readonly [Refusal, ...Refusal[]];

const LONGEST_PAUSE_MS = 300_000;
const SHORTEST_PAUSE_MS = 1_000;

/**
 * Writes a 429.
 *
 * @param full - The full window, for the formats that name it.
 */
export function refuse(
  refusal: Refusal,
  waitMs: number,
  full: Pick<WindowState, 'limit' | 'windowMs'>,
  epochMs: number,
): { headers: Headers; text: string } {
  const date = { date: new Date(epochMs).toUTCString() };
  const bare = (headers: Headers, message = 'Rate limit exceeded') => ({
    headers,
    text: JSON.stringify({ error: 'rateLimited', message }),
  });
  const wait = seconds(waitMs);
  const at = epochSeconds(epochMs, waitMs);
  switch (refusal) {
    case 'Retry-After, seconds':
      return bare({ 'retry-after': wait });
    case 'Retry-After, date':
      return bare({ ...date, 'retry-after': new Date(Number(at) * 1_000).toUTCString() });
    case 'RetryAfter':
      return bare({ retryafter: wait });
    case 'X-RateLimit-RetryAfter':
      return bare({ 'x-ratelimit-retryafter': wait });
    case 'RateLimit, reset':
      return bare({ ratelimit: `limit=${full.limit}, remaining=0, reset=${wait}` });
    case 'RateLimit list, t':
      return bare({
        ratelimit: `"full";r=0;t=${wait}`,
        'ratelimit-policy': `"full";q=${full.limit};w=${full.windowMs / 1_000}`,
      });
    case 'RateLimit-Reset, seconds':
      return bare({ 'ratelimit-reset': wait });
    case 'RateLimit-Reset, epoch':
      return bare({ ...date, 'ratelimit-reset': at });
    case 'X-RateLimit-Reset, epoch':
      return bare({ ...date, 'x-ratelimit-reset': at });
    case 'text, epoch seconds':
      return bare(date, `Rate limit exceeded, please retry after ${at}`);
    case 'text, epoch milliseconds':
      return bare(date, `Rate limit exceeded. Please retry at ${Math.ceil(epochMs + waitMs)}`);
    case 'nothing':
      return bare({});
    case 'zero':
      return bare({ 'retry-after': '0' });
    case 'less than nothing':
      return bare({ 'retry-after': '-5' });
    case 'hours':
      return bare({ 'retry-after': '36000' });
    case 'a billion seconds':
      return bare({ 'retry-after': '1000000000' });
    case 'words':
      return bare({ 'retry-after': 'soon' });
  }
}

/** Returns how long nothing may be sent after a 429: the intended wait, or the default if none can be read. */
export function leastPauseMs(refusal: Refusal, waitMs: number, unreadableMs: number): number {
  switch (refusal) {
    case 'zero':
    case 'less than nothing':
      return SHORTEST_PAUSE_MS;
    case 'hours':
      return LONGEST_PAUSE_MS;
    case 'nothing':
    case 'a billion seconds':
    case 'words':
      return unreadableMs;
    default:
      return waitMs;
  }
}
