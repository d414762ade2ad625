import { z } from 'zod';
import type { ColdStart } from '../upstream/rate-limiter/probe-gate.ts';
import { redisUrl, redisUrlOrOff, tenantSecrets } from './redis-config.ts';
import { DAY_MS, heapBytes, HOUR_MS, MEBIBYTE, type Rule, secretFile, whole } from './rule.ts';

const coldStarts = ['probe', 'wait', 'off'] as const satisfies readonly ColdStart[];

/** Limits of calls to Postman, deadlines, and the cache. */
export const upstreamVariables = {
  RATE_LIMIT: {
    ...whole(1, 100_000, 'calls'),
    default: '60',
    description:
      'Calls per general window. If set, it is a cap; otherwise it starts at the default and follows what Postman ' +
      'announces.',
  },
  RATE_LIMIT_WINDOW_MS: { ...whole(1, HOUR_MS, 'ms'), default: '60000', description: 'Length of the general window.' },
  BURST_LIMIT: {
    ...whole(0, 100_000, 'calls'),
    default: '10',
    description:
      'Calls per burst window, which counts lists of workspaces and collections and single workspaces; 0 turns it off.',
  },
  BURST_LIMIT_WINDOW_MS: { ...whole(1, HOUR_MS, 'ms'), default: '10000', description: 'Length of the burst window.' },
  RESERVED_CALLS: {
    ...whole(0, 99_999, 'calls'),
    default: '5',
    description:
      'Calls per general window that a large operation leaves to the first calls of others; less than RATE_LIMIT.',
  },
  MAX_CONCURRENT_CALLS: { ...whole(1, 1000, 'calls'), default: '10', description: 'Concurrent calls per API key.' },
  COLD_START: {
    allowed: 'probe, wait or off',
    schema: z.enum(coldStarts),
    default: 'probe',
    description:
      'What a new process assumes about calls made before it started. probe: it sends one call at a time until ' +
      'responses report how many are left; wait: all are used up, so it sends none until each window has passed; ' +
      'off: none were made. The sandbox always uses off.',
  },
  REDIS_URL: {
    isSecret: true,
    allowed:
      'the address of a Redis server such as redis://redis.example:6379 or rediss://user:password@redis.example:6380',
    schema: redisUrl.optional(),
    description:
      'Redis (6.2 or newer) or Valkey through which several instances share the rate limits of each API key.',
  },
  REDIS_URL_FILE: { ...secretFile, description: 'File that contains REDIS_URL; it is read only at startup.' },
  TENANT_SECRET: {
    isSecret: true,
    allowed: 'base64 of 32 bytes or more, the same for all instances; or two such texts, separated by a comma',
    schema: tenantSecrets.optional(),
    description:
      'Secret for the names under which Redis stores API keys, and for the encryption of cached responses; required ' +
      'with REDIS_URL and CACHE_REDIS_URL. To rotate it, set the new and the old secret, in this order, separated by a ' +
      'comma.',
  },
  TENANT_SECRET_FILE: { ...secretFile, description: 'File that contains TENANT_SECRET; it is read only at startup.' },
  BUDGET_WITHOUT_REDIS: {
    allowed: 'share or refuse',
    schema: z.enum(['share', 'refuse']),
    default: 'share',
    description:
      'What an instance does if Redis stays unreachable for longer than a window. share: it uses its fraction of ' +
      'each limit; refuse: it makes no calls.',
  },
  OPERATION_TIMEOUT_MS: {
    ...whole(1, 600_000, 'ms'),
    default: '30000',
    description: 'Deadline of an operation whose client requests no other; at most MAX_WAIT_MS.',
  },
  MAX_WAIT_MS: {
    ...whole(1, HOUR_MS, 'ms'),
    default: '300000',
    description: 'Longest deadline that a client can request with Prefer: wait=<seconds>.',
  },
  STREAM_TIMEOUT_MS: {
    ...whole(1, HOUR_MS, 'ms'),
    default: '600000',
    description: 'Deadline of an operation delivered incrementally (@defer, @stream).',
  },
  MAX_CALLS_PER_OPERATION: {
    ...whole(1, 100_000, 'calls'),
    default: '60',
    description: 'Maximum number of calls per operation.',
  },
  MAX_CALLS_PER_STREAM: {
    ...whole(1, 100_000, 'calls'),
    default: '600',
    description: 'Maximum number of calls per operation delivered incrementally.',
  },
  MAX_STREAMS: {
    ...whole(1, 100_000),
    schema: whole(1, 100_000).schema.optional(),
    description:
      'Maximum number of open operations delivered incrementally; by default one per 4 MiB of the heap limit.',
    isDerived: true,
  },
  MAX_STREAMS_PER_KEY: {
    ...whole(1, 100_000),
    default: '100',
    description: 'The same per API key. In addition, one key gets at most half of MAX_STREAMS.',
  },
  UPSTREAM_TIMEOUT_MS: { ...whole(1, 600_000, 'ms'), default: '60000', description: 'Timeout of one call to Postman.' },
  MAX_RESPONSE_BYTES: {
    // Node cannot hold a string of 512 MiB.
    ...whole(1, 500 * MEBIBYTE, 'bytes'),
    default: '33554432',
    description: 'Maximum size of the response body of one call, after decompression.',
  },
  MAX_RESPONSE_VALUES: {
    ...whole(1, 1_000_000_000, 'values'),
    default: '1000000',
    description:
      'Maximum number of JSON values (objects, lists, strings, numbers …) in one response body. A new set of keys ' +
      'counts as ten values, an item of a tree or a list as six.',
  },
  MAX_RESPONSE_BYTES_IN_FLIGHT: {
    ...heapBytes,
    description:
      'Memory for response bodies that are being read, of all keys, and for the objects made from them; by default ' +
      '4/64 of the old generation of the heap.',
  },
  MAX_HELD_BYTES_PER_OPERATION: {
    ...heapBytes,
    description:
      'Heap memory of the Postman responses that one operation may hold; by default 6/64 of the old generation of ' +
      'the heap.',
  },
  MAX_HELD_BYTES: {
    ...heapBytes,
    description:
      'The same for all operations together, of which one key may use half and the next a quarter; by default 12/64 ' +
      'of the old generation of the heap.',
  },
  CACHE_TTL_MS: {
    ...whole(0, DAY_MS, 'ms'),
    default: '60000',
    description: 'How long a response is fresh; 0 turns the cache off.',
  },
  CACHE_SWR_MS: {
    ...whole(0, DAY_MS, 'ms'),
    default: '60000',
    description: 'How much longer a response is served immediately while it is revalidated; `stale` reports it.',
  },
  CACHE_STALE_IF_ERROR_MS: {
    ...whole(0, 7 * DAY_MS, 'ms'),
    default: '3600000',
    description:
      'Maximum age of a response that is served if Postman fails or the budget is empty; `stale` reports it.',
  },
  CACHE_RENEW_MS: {
    ...whole(0, 7 * DAY_MS, 'ms'),
    default: '3600000',
    description:
      'How long after it was read a response stays valid while lists show an unchanged `updatedAt`; 0: lists renew ' +
      'nothing.',
  },
  CACHE_MAX_BYTES: {
    ...heapBytes,
    description: 'Heap memory of the cache; by default 12/64 of the old generation of the heap.',
  },
  CACHE_REDIS_URL: {
    isSecret: true,
    allowed: 'the address of a Redis server such as redis://redis.example:6379, or off',
    schema: redisUrlOrOff.optional(),
    description:
      'Redis in which instances share cached responses, encrypted; by default that of REDIS_URL. off: each instance ' +
      'has its own.',
  },
  CACHE_REDIS_URL_FILE: {
    ...secretFile,
    description: 'File that contains CACHE_REDIS_URL; it is read only at startup.',
  },
  CACHE_REDIS_TIMEOUT_MS: {
    ...whole(1, 10_000, 'ms'),
    default: '50',
    description:
      'How long a call waits for Redis, in all. After three waits without a reply within ten seconds, no ' +
      'responses are shared during five.',
  },
} satisfies Record<string, Rule>;
