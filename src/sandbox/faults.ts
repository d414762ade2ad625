import type { RefusalSpelling } from './rate-refusals.ts';

/**
 * Something that goes wrong with one answer. Unless stated otherwise the call reaches the service and consumes its rate budget.
 *
 * - `status`: that status with the given body (text is sent as it is, anything else as JSON) and headers. Without a body, what the
 *   service says with that status. A 429 consumes no budget, and has no rate headers but the given ones when a body or headers are given.
 * - `refusal`: a 429 in the given spelling, with times counted from the moment of answering. Consumes no budget.
 * - `reset`: the connection is reset, before anything is answered or after half of the body.
 * - `hang`: never an answer.
 * - `stall`: headers and half of the body, then silence.
 * - `trickle`: headers at once, the body one byte at a time.
 * - `truncate`: the JSON is cut in half; the transfer itself is flawless.
 * - `html`: a gateway's HTML page. Status 502 unless given.
 * - `empty`: no body. Status 200 unless given.
 * - `redirect`: 302 to the location.
 * - `delay`: the normal answer, late.
 * - `headers`: the normal answer with headers replaced; null takes one away.
 * - `gzip-bomb`: valid JSON that is small under gzip and inflates to `bytes`.
 * - `oversize`: valid JSON of `bytes`, streamed without a Content-Length unless `isLengthDeclared`.
 * - `wrong-type`: the normal body, labelled text/plain.
 * - `unknown-encoding`: the normal body under the given Content-Encoding (`br` unless given), gzip, deflate and br being really applied.
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

/** Whether a fault refuses the call for its rate, so that it consumes no budget. */
export function isRefusal(fault: Fault): boolean {
  return fault.kind === 'refusal' || (fault.kind === 'status' && fault.status === 429);
}

/** The faults that are planned. */
export interface FaultPlan {
  /** The next `count` calls that no window refuses, whatever they ask for, before any matching fault. */
  next(count: number, fault: Fault): void;
  /** Calls whose path and query contain the text or match the expression. Of several, the one planned last. */
  matching(match: string | RegExp, fault: Fault, times: number): void;
  /** The fault of this call, which uses it up. */
  take(pathAndQuery: string): Fault | undefined;
  /** Forgets them all. */
  clear(): void;
}

/** Makes a plan without faults. */
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
