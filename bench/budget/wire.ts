import type { HttpClient } from '../../src/upstream/http/http-client.ts';
import { UpstreamError } from '../../src/upstream/http/upstream-error.ts';
import type { Figures } from './figures.ts';
import type { Latency } from './latency.ts';
import type { Timeline } from './timeline.ts';
import type { Upstream, UpstreamResponse } from './upstream.ts';

/** The network between the program and upstream, as it can be changed and watched during a run. */
export interface Wire {
  /** Nobody listens at upstream's address. */
  isRefusing: boolean;
  /** When a call for this target was last sent; only of targets that were entered here beforehand. */
  readonly sentAtMs: Map<string, number | undefined>;
  /** Is told of every sending. */
  onSend?: (sentAtMs: number) => void;
  /** Is told of every answer when it has reached the program, just before the program is. */
  onResponse?: (response: UpstreamResponse) => void;
}

const TIMEOUT_MS = 60_000;
const FAILURE_WAIT_MS = 10_000;

/** Makes the HTTP client of one process: it fails as the real one does. */
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
    /** False once the process is dead: what has not reached upstream by then never does. */
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
