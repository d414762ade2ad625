import { z } from 'zod';
import type { ColdStart } from '../upstream/rate-limiter/probe-gate.ts';
import { redisUrl, tenantSecrets } from './redis-config.ts';
import { DAY_MS, heapShare, HOUR_MS, MEBIBYTE, type Rule, secretFile, whole } from './rule.ts';

const coldStarts = ['probe', 'wait', 'off'] as const satisfies readonly ColdStart[];

/** How much may be asked of Postman, how long it may take, and what is cached. */
export const upstreamVariables = {
  RATE_LIMIT: {
    ...whole(1, 100_000, 'calls'),
    default: '60',
    description:
      'Calls per general window. Set, it is a cap; unset, it starts here and follows what Postman announces.',
  },
  RATE_LIMIT_WINDOW_MS: { ...whole(1, HOUR_MS, 'ms'), default: '60000', description: 'Length of the general window.' },
  BURST_LIMIT: {
    ...whole(0, 100_000, 'calls'),
    default: '10',
    description: 'Calls per burst window: lists of workspaces and collections, single workspaces; 0 turns it off.',
  },
  BURST_LIMIT_WINDOW_MS: { ...whole(1, HOUR_MS, 'ms'), default: '10000', description: 'Length of the burst window.' },
  RESERVED_CALLS: {
    ...whole(0, 99_999, 'calls'),
    default: '5',
    description: 'Calls of the general window that a large operation leaves to newcomers; less than RATE_LIMIT.',
  },
  MAX_CONCURRENT_CALLS: { ...whole(1, 1000, 'calls'), default: '10', description: 'Calls at a time per API key.' },
  COLD_START: {
    allowed: 'probe, wait or off',
    schema: z.enum(coldStarts),
    default: 'probe',
    description:
      'What a process that has just started supposes of the calls made before it. probe: one call at a time until answers have told what is left; wait: none until each window has passed; off: none were made. The sandbox starts with off.',
  },
  REDIS_URL: {
    isSecret: true,
    allowed: 'the address of a Redis such as redis://redis.example:6379 or rediss://user:password@redis.example:6380',
    schema: redisUrl.optional(),
    description: 'Redis (6.2 or newer) or Valkey in which several instances share the slots of each API key.',
  },
  REDIS_URL_FILE: { ...secretFile, description: 'File to read REDIS_URL from, at the start only.' },
  TENANT_SECRET: {
    isSecret: true,
    allowed: 'base64 of 32 bytes or more, the same for all instances; or two such texts with a comma between them',
    schema: tenantSecrets.optional(),
    description:
      'What API keys are named under in Redis; needed with REDIS_URL. Two with a comma between them, the new one first, to change from one to the other.',
  },
  TENANT_SECRET_FILE: { ...secretFile, description: 'File to read TENANT_SECRET from, at the start only.' },
  BUDGET_WITHOUT_REDIS: {
    allowed: 'share or refuse',
    schema: z.enum(['share', 'refuse']),
    default: 'share',
    description:
      'What an instance does when it has not reached Redis for longer than a window. share: it uses its part of each limit; refuse: it makes no calls.',
  },
  OPERATION_TIMEOUT_MS: {
    ...whole(1, 600_000, 'ms'),
    default: '30000',
    description: 'Deadline of an operation that does not ask for another; at most MAX_WAIT_MS.',
  },
  MAX_WAIT_MS: {
    ...whole(1, HOUR_MS, 'ms'),
    default: '300000',
    description: 'Longest deadline that a client can ask for with Prefer: wait=<seconds>.',
  },
  STREAM_TIMEOUT_MS: {
    ...whole(1, HOUR_MS, 'ms'),
    default: '600000',
    description: 'Deadline of an operation delivered incrementally (@defer, @stream).',
  },
  MAX_CALLS_PER_OPERATION: {
    ...whole(1, 100_000, 'calls'),
    default: '60',
    description: 'Calls that one operation may make.',
  },
  MAX_CALLS_PER_STREAM: {
    ...whole(1, 100_000, 'calls'),
    default: '600',
    description: 'Calls that one operation delivered incrementally may make.',
  },
  MAX_STREAMS: {
    ...whole(1, 100_000),
    schema: whole(1, 100_000).schema.optional(),
    description: 'Operations delivered incrementally that may be open at once: one for every 4 MiB of the heap limit.',
    isDerived: true,
  },
  MAX_STREAMS_PER_KEY: {
    ...whole(1, 100_000),
    default: '100',
    description: 'The same for one API key, which has at most half of the room in any case.',
  },
  UPSTREAM_TIMEOUT_MS: { ...whole(1, 600_000, 'ms'), default: '60000', description: 'Time for one call to Postman.' },
  MAX_RESPONSE_BYTES: {
    // Node cannot hold a string of 512 MiB.
    ...whole(1, 500 * MEBIBYTE, 'bytes'),
    default: '33554432',
    description: 'Largest body of one call, after decompression.',
  },
  MAX_RESPONSE_VALUES: {
    ...whole(1, 1_000_000_000, 'values'),
    default: '1000000',
    description:
      'Most values (objects, lists, texts, numbers …) in one body. A new row of keys counts for ten, an item of a tree or a list for six.',
  },
  MAX_RESPONSE_BYTES_IN_FLIGHT: {
    ...heapShare,
    description:
      'Bodies that are being read at a time, over all keys, with what they become: 4/64 of the old generation of the heap.',
  },
  MAX_HELD_BYTES_PER_OPERATION: {
    ...heapShare,
    description:
      'What the answers of Postman take on the heap that one operation is given: 6/64 of the old generation of the heap.',
  },
  MAX_HELD_BYTES: {
    ...heapShare,
    description:
      'The same over all operations at a time, of which one key may have half, the next a quarter: 12/64 of the old generation of the heap.',
  },
  CACHE_TTL_MS: {
    ...whole(0, DAY_MS, 'ms'),
    default: '60000',
    description: 'How long an answer counts as fresh; 0 turns the cache off.',
  },
  CACHE_SWR_MS: {
    ...whole(0, DAY_MS, 'ms'),
    default: '60000',
    description: 'How much longer an answer is served at once while it is refreshed; says so in `stale`.',
  },
  CACHE_STALE_IF_ERROR_MS: {
    ...whole(0, 7 * DAY_MS, 'ms'),
    default: '3600000',
    description: 'Oldest answer served when Postman fails or the budget is empty; says so in `stale`.',
  },
  CACHE_RENEW_MS: {
    ...whole(0, 7 * DAY_MS, 'ms'),
    default: '3600000',
    description:
      'How long after it was read an answer stays good as long as lists show an unchanged `updatedAt`; 0: lists renew nothing.',
  },
  CACHE_MAX_BYTES: {
    ...heapShare,
    description: 'Size of the cache, as what its answers take on the heap: 12/64 of the old generation of the heap.',
  },
} satisfies Record<string, Rule>;
