import type { RefusalSpelling } from './rate-refusals.ts';

/**
 * A fault in one response. Unless stated otherwise, the call is counted in the rate limits.
 *
 * - `status`: that status with the given body (text is sent unchanged, anything else as JSON) and headers. Without a
 *   body, the service's default response for that status. A 429 is not counted, and with a body or headers given it has
 *   no other rate-limit headers than the given ones.
 * - `refusal`: a 429 in the given spelling; its times count from the moment of the response. Not counted.
 * - `reset`: the connection is reset, before the response or after half of the body.
 * - `hang`: no response, ever.
 * - `stall`: headers and half of the body, then silence.
 * - `trickle`: headers at once, the body one byte at a time.
 * - `truncate`: the JSON is cut in half; the transfer itself is complete.
 * - `html`: the HTML error page of a gateway. Default status: 502.
 * - `empty`: no body. Default status: 200.
 * - `redirect`: 302 to the location.
 * - `delay`: the normal response, late.
 * - `headers`: the normal response with headers replaced; null removes one.
 * - `gzip-bomb`: valid JSON that is small under gzip and inflates to `bytes` bytes.
 * - `oversize`: valid JSON of `bytes` bytes, streamed without a Content-Length unless `isLengthDeclared`.
 * - `wrong-type`: the normal body, labelled text/plain.
 * - `unknown-encoding`: the normal body with the given Content-Encoding (default `br`). gzip, deflate and br are really
 *   applied.
 * - `utf16`: the normal body in UTF-16 with a byte-order mark.
 */
export type Fault =
  | { kind: 'status'; status: number; body?: unknown; headers?: Readonly<Record<string, string>> }
  | { kind: 'refusal'; spelling: RefusalSpelling; waitSeconds: number }
  | { kind: 'reset'; when?: 'before' | 'during' }
  | { kind: 'hang' }
  | { kind: 'stall' }
  | { kind: 'trickle'; everyMs: number }
  | { kind: 'truncate' }
  | { kind: 'html'; status?: number }
  | { kind: 'empty'; status?: number }
  | { kind: 'redirect'; location: string }
  | { kind: 'delay'; delayMs: number }
  | { kind: 'headers'; headers: Readonly<Record<string, string | null>> }
  | { kind: 'gzip-bomb'; bytes: number }
  | { kind: 'oversize'; bytes: number; isLengthDeclared?: boolean }
  | { kind: 'wrong-type' }
  | { kind: 'unknown-encoding'; encoding?: string }
  | { kind: 'utf16' };

/** Whether a fault is a 429, so that the call is not counted in the rate limits. */
export function isRefusal(fault: Fault): boolean {
  return fault.kind === 'refusal' || (fault.kind === 'status' && fault.status === 429);
}

/** The faults that the next calls get. */
export interface FaultPlan {
  /** Applies to the next `count` calls of any path that no window refuses, before any matching fault. */
  next(count: number, fault: Fault): void;
  /**
   * Applies to calls whose path and query contain the text or match the expression. Of several rules, the newest
   * applies.
   */
  matching(match: string | RegExp, fault: Fault, times: number): void;
  /** Takes the fault for this call out of the plan. */
  take(pathAndQuery: string): Fault | undefined;
  /** Removes all faults. */
  clear(): void;
}

/** Creates an empty plan. */
export function createFaultPlan(): FaultPlan {
  const queue: Fault[] = [];
  let rules: { match: string | RegExp; fault: Fault; timesLeft: number }[] = [];
  return {
    next(count, fault) {
      for (let i = 0; i < count; i++) queue.push(fault);
    },
    matching(match, fault, times) {
      rules.unshift({ match, fault, timesLeft: times });
    },
    take(pathAndQuery) {
      const queued = queue.shift();
      if (queued !== undefined) return queued;
      const rule = rules.find(
        ({ match, timesLeft }) =>
          // search() leaves the lastIndex of a global expression alone.
          timesLeft > 0 &&
          (typeof match === 'string' ? pathAndQuery.includes(match) : pathAndQuery.search(match) !== -1),
      );
      if (rule === undefined) return undefined;
      rule.timesLeft--;
      return rule.fault;
    },
    clear() {
      queue.length = 0;
      rules = [];
    },
  };
}
