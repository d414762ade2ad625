/** One rate limit window of the API key, as the response headers `RateLimit-Policy` and `RateLimit` describe it. */
export interface BudgetWindow {
  /** `general`, `burst`, or the length of a window that the server learned from Postman. */
  readonly name: string;
  /** Calls per window. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Calls that can be sent now. */
  readonly free: number;
  /** Milliseconds until the whole window is free again if nothing more is sent. */
  readonly fullInMs: number;
}

/** `extensions.upstream.budget` of a response. */
export interface ReportedBudget {
  readonly remaining: number;
  /** RFC 3339. */
  readonly resetAt: string | null;
}

/** What is known of the budget, and how it recovers. */
export interface Budget {
  /** Takes over the windows of a response that was received at `nowMs`. */
  note(windows: readonly BudgetWindow[], nowMs: number): void;
  /** The windows as they should be at `nowMs`; empty before the first response. */
  at(nowMs: number): readonly BudgetWindow[];
}

/**
 * Reads the headers of the budget.
 *
 * @returns The windows in the order of the headers; none if a header is absent.
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
export function parseBudget(policy: string | null, rateLimit: string | null): readonly BudgetWindow[] {
  const limits = parseItems(policy);
  const states = parseItems(rateLimit);
  return [...limits].flatMap(([name, { q = 0, w = 0 }]) => {
    const state = states.get(name);
    if (state?.['r'] === undefined || q <= 0) return [];
    return [{ name, limit: q, windowSeconds: w, free: Math.min(state['r'], q), fullInMs: (state['t'] ?? 0) * 1_000 }];
  });
}

/** Replaces the state of the general window by that of `extensions.upstream.budget`, which is newer than the headers. */
export function withReported(
  windows: readonly BudgetWindow[],
  { remaining, resetAt }: ReportedBudget,
  serverNowMs: number,
): readonly BudgetWindow[] {
  const fullInMs = resetAt === null ? 0 : Math.max(0, Date.parse(resetAt) - serverNowMs);
  return windows.map((window) =>
    window.name === 'general' ? { ...window, free: Math.min(remaining, window.limit), fullInMs } : window,
  );
}

/**
 * Makes a budget that recovers as time passes. A response says how many slots are in use and when the last of them
 * comes back. The times of the others are known only if earlier responses have announced them; otherwise they count
 * as in use until the last one comes back, so that the display never promises a slot too early.
 */
export function createBudget(): Budget {
  const windows = new Map<string, { window: BudgetWindow; backAtMs: readonly number[] }>();
  return {
    note(noted, nowMs) {
      for (const window of noted) {
        const known = windows.get(window.name)?.backAtMs.filter((atMs) => atMs > nowMs) ?? [];
        const fullAtMs = nowMs + Math.max(window.fullInMs, 1);
        const used = window.limit - window.free;
        const earlier = known.filter((atMs) => atMs < fullAtMs).slice(0, Math.max(0, used - 1));
        const rest = Array.from({ length: used - earlier.length }, () => fullAtMs);
        windows.set(window.name, { window, backAtMs: [...earlier, ...rest] });
      }
    },
    at: (nowMs) =>
      [...windows.values()].map(({ window, backAtMs }) => {
        const used = backAtMs.filter((atMs) => atMs > nowMs);
        return { ...window, free: window.limit - used.length, fullInMs: Math.max(0, ...used.map((at) => at - nowMs)) };
      }),
  };
}

function parseItems(header: string | null): Map<string, Readonly<Record<string, number>>> {
  const items = [...(header ?? '').matchAll(/"([^"]*)"((?:;\s*\w+=\d+)*)/g)];
  return new Map(
    items.map(([, name = '', parameters = '']) => [
      name,
      Object.fromEntries([...parameters.matchAll(/(\w+)=(\d+)/g)].map(([, key, value]) => [key, Number(value)])),
    ]),
  );
}
