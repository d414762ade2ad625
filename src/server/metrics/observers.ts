import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationObserver } from '../operation/operation-observer.ts';
import { monotonicMs } from '../../upstream/clock.ts';
import type { SettledCall, UpstreamObserver } from '../../upstream/upstream-observer.ts';
import { families } from './families.ts';
import type { MetricsByName } from './registry.ts';

/** Writes the events of the upstream layer into metrics. */
export function createUpstreamObserver(metrics: MetricsByName): UpstreamObserver {
  return {
    callSettled(call) {
      const { route, durationMs, error, isRetry } = call;
      metrics.http_client_request_duration_seconds.observe(
        { http_request_method: 'GET', url_template: route.template, ...toResult(call) },
        durationMs / 1_000,
      );
      if (isRetry) metrics.postman_graphql_retries_total.inc({ outcome: error ? 'failed' : 'succeeded' });
      if (error?.kind === 'rateLimited')
        metrics.postman_graphql_upstream_rate_limited_total.inc({ route_class: route.routeClass });
    },
    slotTaken: (routeClass, waitedMs) =>
      metrics.postman_graphql_budget_wait_duration_seconds.observe({ route_class: routeClass }, waitedMs / 1_000),
    read: (outcome) => metrics.postman_graphql_cache_requests_total.inc({ outcome }),
    callRefused: (reason) => metrics.postman_graphql_calls_refused_total.inc({ reason }),
    reservationEnded: (outcome) => metrics.postman_graphql_slot_reservations_total.inc({ outcome }),
    revalidated: (outcome) => metrics.postman_graphql_revalidations_total.inc({ outcome }),
    storeReplied: (script, durationMs, isFailed) =>
      metrics.db_client_operation_duration_seconds.observe(
        { db_system_name: 'redis', db_stored_procedure_name: script, error_type: isFailed ? '_OTHER' : '' },
        durationMs / 1_000,
      ),
  };
}

/** As OpenTelemetry has it, the error type of a response with an error status is that status. */
function toResult({ error }: SettledCall): Record<string, string> {
  if (!error) return { http_response_status_code: '200', error_type: '' };
  const { kind, status, isConnectFailure } = error;
  if (status === undefined)
    return { http_response_status_code: '', error_type: isConnectFailure ? 'connect_failure' : kind };
  return { http_response_status_code: String(status), error_type: status >= 400 ? String(status) : kind };
}

/** Writes the events of operations into metrics. */
export function createOperationObserver(metrics: MetricsByName): OperationObserver {
  return {
    operationEnded({ type, outcome, durationMs, calls, isLate }) {
      metrics.postman_graphql_operation_duration_seconds.observe(
        { graphql_operation_type: type ?? '', outcome },
        durationMs / 1_000,
      );
      metrics.postman_graphql_operation_calls.observe(calls);
      if (isLate) metrics.postman_graphql_operations_deadline_exceeded_total.inc();
    },
    streamOpened() {
      metrics.postman_graphql_streams_open.inc();
      return () => metrics.postman_graphql_streams_open.dec();
    },
    partMade: () => metrics.postman_graphql_stream_parts_total.inc(),
  };
}

const METHODS: ReadonlySet<string | undefined> = new Set(
  families.http_server_request_duration_seconds.labels.http_request_method,
);

/** Makes the function that measures an HTTP request from now to the end of its response. */
export function createRequestObserver(metrics: MetricsByName) {
  return ({ method }: IncomingMessage, response: ServerResponse): void => {
    const startedAtMs = monotonicMs();
    response.once('close', () => {
      const labels = {
        http_request_method: METHODS.has(method) ? method : '_OTHER',
        http_response_status_code: response.statusCode,
      };
      metrics.http_server_request_duration_seconds.observe(labels, (monotonicMs() - startedAtMs) / 1_000);
    });
  };
}
