import type { HttpClient } from '../../src/upstream/http/http-client.ts';
import { UpstreamError } from '../../src/upstream/http/upstream-error.ts';
import type { Figures } from './figures.ts';
import type { Latency } from './latency.ts';
import type { Timeline } from './timeline.ts';
import type { Upstream, UpstreamResponse } from './upstream.ts';

/** The network between the program and upstream, as a run can change and observe it. */
export interface Wire {
  /** Whether upstream refuses connections. */
  isRefusing: boolean;
  /** When a call for a target was last sent. Only for targets entered here beforehand. */
  readonly sentAtMs: Map<string, number | undefined>;
  /** Called for each call sent. */
  onSend?: (sentAtMs: number) => void;
  /** Called for each response just before the program receives it. */
  onResponse?: (response: UpstreamResponse) => void;
}

const TIMEOUT_MS = 60_000;
const FAILURE_WAIT_MS = 10_000;

/** Creates the HTTP client of one process. It fails as the real one does. */
export function createWireClient(
  wire: Wire,
  {
    timeline,
    upstream,
    latency,
    figures,
    isAlive,
  }: {
    readonly timeline: Timeline;
    readonly upstream: Upstream;
    readonly latency: Latency;
    readonly figures: Figures;
    /** False once the process is dead: calls that have not arrived by then never do. */
    readonly isAlive: () => boolean;
  },
): HttpClient {
  const failed = (kind: 'timeout' | 'unavailable', message: string, route: string, cause: Error) =>
    new UpstreamError(kind, message, { route, retryAtMs: timeline.nowMs() + FAILURE_WAIT_MS, cause });

  return {
    get: (target, route, apiKey) =>
      new Promise((resolve, reject) => {
        const sentAtMs = timeline.nowMs();
        if (wire.sentAtMs.has(target)) wire.sentAtMs.set(target, sentAtMs);
        wire.onSend?.(sentAtMs);
        figures.add('attempts');
        const toProgram = (atMs: number, run: () => void) => {
          timeline.act(atMs, () => {
            if (!isAlive()) return;
            figures.add('round trips');
            figures.add('round trips, ms', timeline.nowMs() - sentAtMs);
            run();
          });
        };
        if (wire.isRefusing) {
          toProgram(sentAtMs + 1, () => {
            const cause = Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:443'), { code: 'ECONNREFUSED' });
            reject(
              new UpstreamError('unavailable', 'The connection to Postman failed.', {
                route,
                retryAtMs: timeline.nowMs() + FAILURE_WAIT_MS,
                isConnectFailure: true,
                cause,
              }),
            );
          });
          return;
        }
        const { requestMs, responseMs, fate } = latency(sentAtMs);
        if (fate !== 'answered') {
          toProgram(sentAtMs + TIMEOUT_MS, () => {
            const cause = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
            reject(failed('timeout', `Postman did not answer within ${TIMEOUT_MS} ms.`, route, cause));
          });
        }
        if (fate === 'lost') return;
        const isBurst = route === '/collections';
        timeline.at(sentAtMs + requestMs, () => {
          if (!isAlive()) return;
          const response = upstream.receive({ user: apiKey.reveal(), isBurst, isOurs: true, sentAtMs });
          if (fate === 'unanswered') return;
          toProgram(timeline.nowMs() + responseMs, () => {
            wire.onResponse?.(response);
            const { status, headers, text } = response;
            resolve({ status, headers, text, heapBytes: text.length, runTask: async (piece) => piece(), release() {} });
          });
        });
      }),
    close: () => Promise.resolve(),
  };
}
