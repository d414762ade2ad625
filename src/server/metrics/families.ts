/** A family of metrics that the server exposes. Its name and labels are public: they never change. */
export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence: what is counted or measured. */
  readonly help: string;
  /** Labels, and all values that each can have; `undefined`: a set that other systems define, such as status codes. */
  readonly labels: Readonly<Record<string, readonly string[] | undefined>>;
  /** Upper limits of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

// From a cached response to the longest wait for slots.
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const WAIT_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
const REDIS_SECONDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const ROUTE_CLASSES = ['general', 'burst'];

/**
 * All families but those of the process itself, which the library defines. Names and labels are those of
 * OpenTelemetry's semantic conventions where these have the metric; all others begin with `postman_graphql_`. No label
 * has a value that clients choose.
 */
export const families = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    help: 'Duration of HTTP requests on the main port, without probes, to the end of the response.',
    labels: { http_request_method: ['GET', 'POST', 'OPTIONS', '_OTHER'], http_response_status_code: undefined },
    buckets: SECONDS,
  },
  postman_graphql_operation_duration_seconds: {
    type: 'histogram',
    help: 'Duration of GraphQL operations, to the end of the response.',
    labels: { graphql_operation_type: ['query', ''], outcome: ['ok', 'partial', 'refused', 'failed'] },
    buckets: SECONDS,
  },
  postman_graphql_operation_calls: {
    type: 'histogram',
    help: 'Calls to Postman per GraphQL operation.',
    labels: {},
    buckets: [0, 1, 2, 5, 10, 20, 60, 200, 600],
  },
  postman_graphql_operations_deadline_exceeded_total: {
    type: 'counter',
    help: 'GraphQL operations whose deadline came before their end.',
    labels: {},
  },
  postman_graphql_streams_open: {
    type: 'gauge',
    help: 'Responses in parts (@defer, @stream) that are open.',
    labels: {},
  },
  postman_graphql_stream_parts_total: {
    type: 'counter',
    help: 'Parts with data or errors of responses in parts.',
    labels: {},
  },
  http_client_request_duration_seconds: {
    type: 'histogram',
    help: 'Duration of calls to Postman, to the end of the response. Each retry is a call.',
    labels: {
      http_request_method: ['GET'],
      url_template: undefined,
      http_response_status_code: undefined,
      error_type: undefined,
    },
    buckets: SECONDS,
  },
  postman_graphql_retries_total: {
    type: 'counter',
    help: 'Calls to Postman that repeat a failed or rate-limited call.',
    labels: { outcome: ['succeeded', 'failed'] },
  },
  postman_graphql_upstream_rate_limited_total: {
    type: 'counter',
    help: 'Calls that Postman refused (429): somebody else uses the key, or its budget was counted wrongly.',
    labels: { route_class: ROUTE_CLASSES },
  },
  postman_graphql_cache_requests_total: {
    type: 'counter',
    help: 'Reads by how they were served.',
    labels: { outcome: ['hit', 'shared', 'stale', 'coalesced', 'miss'] },
  },
  postman_graphql_shared_cache_mode: {
    type: 'gauge',
    help: '1 for whether cached responses are shared through Redis: not configured, yes, only those stored already because Redis is full, or not while Redis does not reply.',
    labels: { mode: ['process', 'shared', 'full', 'off'] },
  },
  postman_graphql_cache_bytes: {
    type: 'gauge',
    help: 'Heap memory of cached responses.',
    labels: { level: ['memory'] },
  },
  postman_graphql_cache_entries: {
    type: 'gauge',
    help: 'Cached responses.',
    labels: { level: ['memory'] },
  },
  postman_graphql_cache_evictions_total: {
    type: 'counter',
    help: 'Cached responses that were dropped because the cache was full.',
    labels: { level: ['memory'] },
  },
  postman_graphql_revalidations_total: {
    type: 'counter',
    help: 'Revalidations of responses that were served stale.',
    labels: { outcome: ['succeeded', 'failed', 'skipped'] },
  },
  postman_graphql_webhooks_total: {
    type: 'counter',
    help: 'Requests to the webhook that reports changes, by their effect on cached responses; 0 without WEBHOOK_SECRET.',
    labels: { outcome: ['applied', 'ignored', 'limited', 'refused'] },
  },
  postman_graphql_budget_used_ratio: {
    type: 'gauge',
    help: 'Fraction of a window that is in use: the largest, and the mean, over the keys that are not idle.',
    labels: { window: ROUTE_CLASSES, statistic: ['max', 'mean'] },
  },
  postman_graphql_budget_month_remaining_ratio: {
    type: 'gauge',
    help: 'Fraction of the monthly quota that is left: the smallest over the keys with a quota; 1 if there is none.',
    labels: {},
  },
  postman_graphql_budget_keys: {
    type: 'gauge',
    help: 'Budgets by state. Keys of one user have one budget.',
    labels: { state: ['idle', 'busy', 'full', 'paused', 'month_spent'] },
  },
  postman_graphql_budget_wait_duration_seconds: {
    type: 'histogram',
    help: 'How long calls waited for their slots; 0 if they did not wait.',
    labels: { route_class: ROUTE_CLASSES },
    buckets: WAIT_SECONDS,
  },
  postman_graphql_budget_queued: {
    type: 'gauge',
    help: 'Calls that wait for slots.',
    labels: { route_class: ROUTE_CLASSES },
  },
  postman_graphql_calls_refused_total: {
    type: 'counter',
    help: 'Calls that an operation needed and that were not sent.',
    labels: { reason: ['deadline', 'full', 'month', 'breaker', 'call_limit', 'new_key'] },
  },
  postman_graphql_slot_reservations_total: {
    type: 'counter',
    help: 'Reserved slots by whether the client came for them, and got them at the time named to it.',
    labels: { outcome: ['used', 'late', 'expired'] },
  },
  postman_graphql_circuit_breaker_open: {
    type: 'gauge',
    help: 'Open circuit breakers: 1 or 0 for that of all calls, and the number of API keys with an open one.',
    labels: { scope: ['all', 'api_key'] },
  },
  postman_graphql_limiter_mode: {
    type: 'gauge',
    help: '1 for how slots are counted: by this process, shared in Redis, or, without a reply of Redis, local or not at all.',
    labels: { mode: ['process', 'shared', 'local', 'closed'] },
  },
  db_client_operation_duration_seconds: {
    type: 'histogram',
    help: 'Duration of scripts in Redis; none without REDIS_URL.',
    labels: {
      db_system_name: ['redis'],
      db_stored_procedure_name: ['exchange', 'heartbeat', 'leave', 'changes'],
      error_type: ['', '_OTHER'],
    },
    buckets: REDIS_SECONDS,
  },
} as const satisfies Readonly<Record<string, Family>>;

/** Name of a family. */
export type FamilyName = keyof typeof families;
