import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationObserver } from '../operation/operation-observer.ts';
import { monotonicMs } from '../../upstream/clock.ts';
import { type CallResult, silentObserver, type UpstreamObserver } from '../../upstream/observer.ts';
import { families } from './families.ts';
import type { MetricsByName } from './registry.ts';

/** Writes the events of the upstream layer into metrics. */
export function createUpstreamObserver(metrics: MetricsByName): UpstreamObserver {
  return {
    ...silentObserver,
    onSettled({ route }, result) {
      metrics.http_client_request_duration_seconds.observe(
        { http_request_method: 'GET', url_template: route.template, ...toResult(result) },
        result.durationMs / 1_000,
      );
      const { resends, error } = result;
      if (resends > 0) metrics.postman_graphql_retries_total.inc({ outcome: error ? 'failed' : 'succeeded' });
      if (error === 'rateLimited')
        metrics.postman_graphql_upstream_rate_limited_total.inc({ route_class: route.routeClass });
    },
    onSlotTaken: (routeClass, waitedMs) =>
      metrics.postman_graphql_budget_wait_duration_seconds.observe({ route_class: routeClass }, waitedMs / 1_000),
    onRead: (outcome) => metrics.postman_graphql_cache_requests_total.inc({ outcome }),
    onRefused: (reason) => metrics.postman_graphql_calls_refused_total.inc({ reason }),
    onReservationEnded: (outcome) => metrics.postman_graphql_slot_reservations_total.inc({ outcome }),
    onRevalidated: (outcome) => metrics.postman_graphql_revalidations_total.inc({ outcome }),
    onStoreReplied: (script, durationMs, isFailed) =>
      metrics.db_client_operation_duration_seconds.observe(
        { db_system_name: 'redis', db_stored_procedure_name: script, error_type: isFailed ? '_OTHER' : '' },
        durationMs / 1_000,
      ),
  };
}

/** As OpenTelemetry has it, the error type of a response with an error status is that status. */
function toResult({ status, error, isConnectFailure }: CallResult): Record<string, string> {
  if (status === undefined)
    return { http_response_status_code: '', error_type: isConnectFailure ? 'connect_failure' : (error ?? '') };
  return { http_response_status_code: String(status), error_type: status >= 400 ? String(status) : (error ?? '') };
}

/** Writes the events of operations into metrics. */
export function createOperationObserver(metrics: MetricsByName): OperationObserver {
  return {
    operationEnded({ type, outcome, durationMs, cost, isLate }) {
      metrics.postman_graphql_operation_duration_seconds.observe(
        { graphql_operation_type: type ?? '', outcome },
        durationMs / 1_000,
      );
      metrics.postman_graphql_operation_calls.observe(cost.calls);
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
