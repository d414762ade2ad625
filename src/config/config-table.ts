import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { isLoopbackAddress, parseHostAndPort } from '../loopback.ts';
import { parseSubnet } from '../server/http/client-address.ts';
import { cleanSecret, faultOfApiKey, faultOfSecret } from './secret-text.ts';
import type { ColdStart } from '../upstream/probe-gate.ts';
import { Secret } from '../upstream/secret.ts';
import { toProxy } from '../upstream/proxy.ts';

/** What documentation, checks and messages need to know of one environment variable. */
export interface Rule {
  /** The text that would set it; empty for none. */
  readonly default: string;
  readonly unit?: string;
  /** One line for people. */
  readonly description: string;
  /** Ends the sentence "allowed: …". */
  readonly allowed: string;
  /** The value must not be shown. */
  readonly isSecret?: true;
  /** The default is a share of the heap limit of the process, which no text can say. */
  readonly isDerived?: true;
  /** Reads the text; gets undefined where neither a value nor a default is. */
  readonly schema: z.ZodType;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const coldStarts = ['probe', 'wait', 'off'] as const satisfies readonly ColdStart[];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const mebibyte = 1_048_576;

const secret = {
  isSecret: true as const,
  allowed: 'visible ASCII without spaces, at most 256 characters',
};

const secretFile = {
  isSecret: true as const,
  allowed: 'the path of a file with one line',
  schema: z.string().optional(),
  default: '',
};

const proxy = {
  // It may hold a password.
  isSecret: true as const,
  allowed: 'the address of an HTTP proxy such as http://proxy.example:3128 or http://user:password@proxy.example:3128',
  schema: text(toProxy).optional(),
  default: '',
};

const flag = {
  allowed: 'true or false (also on, off, yes, no, 1, 0)',
  schema: z.stringbool({ truthy: ['true', 'on', 'yes', '1'], falsy: ['false', 'off', 'no', '0'] }),
};

const bytes = whole(1, 16_384 * mebibyte, 'bytes');
const heapShare = {
  ...bytes,
  schema: bytes.schema.optional(),
  default: '',
  isDerived: true as const,
};

/** Every environment variable that is read, by name, in the order of the documentation. */
export const table = {
  POSTMAN_API_KEY: {
    ...secret,
    schema: secretText(faultOfApiKey).optional(),
    default: '',
    description:
      "The server's own Postman API key, used for requests without X-Api-Key. Without key and base URL the sandbox answers.",
  },
  POSTMAN_API_KEY_FILE: { ...secretFile, description: 'File to read POSTMAN_API_KEY from, at the start only.' },
  POSTMAN_API_BASE_URL: {
    allowed:
      'an https origin such as https://api.postman.com (http only to loopback), without user name, path or query',
    schema: text(toUpstreamOrigin),
    default: 'https://api.getpostman.com',
    description: 'Origin of the Postman API; https://api.eu.postman.com is the EU one.',
  },
  HTTPS_PROXY: {
    ...proxy,
    description: 'Proxy for calls to Postman, which it tunnels (CONNECT). Calls to loopback go through none.',
  },
  HTTP_PROXY: { ...proxy, description: 'The same, where HTTPS_PROXY is not set.' },
  NO_PROXY: {
    allowed: 'a list of host names, or *',
    schema: z.string().default(''),
    default: '',
    description: 'Comma-separated hosts, with those below them, that are called without a proxy; * for all.',
  },
  HOST: {
    allowed: 'a host name or an IP address, without port',
    schema: text(toListenHost),
    default: '127.0.0.1',
    description: 'Address to listen on; with a server key or SANDBOX_DIR, one that is not loopback needs ACCESS_TOKEN.',
  },
  PORT: { ...whole(0, 65_535), default: '4000', description: 'Port to listen on; 0 picks a free one.' },
  RATE_LIMIT: {
    ...whole(1, 100_000, 'calls'),
    default: '60',
    description:
      'Calls per general window. Set, it is a cap; unset, it starts here and follows what Postman announces.',
  },
  RATE_LIMIT_WINDOW_MS: { ...whole(1, hourMs, 'ms'), default: '60000', description: 'Length of the general window.' },
  BURST_LIMIT: {
    ...whole(0, 100_000, 'calls'),
    default: '10',
    description: 'Calls per burst window: lists of workspaces and collections, single workspaces; 0 turns it off.',
  },
  BURST_LIMIT_WINDOW_MS: { ...whole(1, hourMs, 'ms'), default: '10000', description: 'Length of the burst window.' },
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
  OPERATION_TIMEOUT_MS: {
    ...whole(1, 600_000, 'ms'),
    default: '30000',
    description: 'Deadline of an operation that does not ask for another; at most MAX_WAIT_MS.',
  },
  MAX_WAIT_MS: {
    ...whole(1, hourMs, 'ms'),
    default: '300000',
    description: 'Longest deadline that a client can ask for with Prefer: wait=<seconds>.',
  },
  STREAM_TIMEOUT_MS: {
    ...whole(1, hourMs, 'ms'),
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
    default: '',
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
    ...whole(1, 500 * mebibyte, 'bytes'),
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
    ...whole(0, dayMs, 'ms'),
    default: '60000',
    description: 'How long an answer counts as fresh; 0 turns the cache off.',
  },
  CACHE_SWR_MS: {
    ...whole(0, dayMs, 'ms'),
    default: '60000',
    description: 'How much longer an answer is served at once while it is refreshed; says so in `stale`.',
  },
  CACHE_STALE_IF_ERROR_MS: {
    ...whole(0, 7 * dayMs, 'ms'),
    default: '3600000',
    description: 'Oldest answer served when Postman fails or the budget is empty; says so in `stale`.',
  },
  CACHE_RENEW_MS: {
    ...whole(0, 7 * dayMs, 'ms'),
    default: '3600000',
    description:
      'How long after it was read an answer stays good as long as lists show an unchanged `updatedAt`; 0: lists renew nothing.',
  },
  CACHE_MAX_BYTES: {
    ...heapShare,
    description: 'Size of the cache, as what its answers take on the heap: 12/64 of the old generation of the heap.',
  },
  MAX_QUERY_DEPTH: { ...whole(1, 1000), default: '40', description: 'Deepest nesting of a GraphQL document.' },
  MAX_QUERY_ALIASES: { ...whole(1, 10_000), default: '100', description: 'Most aliases in a GraphQL document.' },
  MAX_QUERY_TOKENS: { ...whole(1, 1_000_000), default: '2000', description: 'Most tokens in a GraphQL document.' },
  MAX_REQUEST_BYTES: {
    ...whole(1, 100 * mebibyte, 'bytes'),
    default: '1048576',
    description: 'Largest body of a GraphQL request.',
  },
  MAX_REQUEST_BYTES_IN_FLIGHT: {
    ...heapShare,
    description:
      'GraphQL requests of more than 2 KiB that are being read or answered, with what they become: 2/64 of the old generation of the heap.',
  },
  DOCUMENT_CACHE_MAX_BYTES: {
    ...heapShare,
    description:
      'Parsed GraphQL documents that are cached, as what they take on the heap: 1/64 of the old generation of the heap.',
  },
  KEEP_ALIVE_TIMEOUT_MS: {
    ...whole(1, hourMs, 'ms'),
    default: '65000',
    description:
      'How long a connection of a client is kept for its next request: longer than a balancer in front keeps it. Ten seconds at most while more than half of the 4,096 connections are open.',
  },
  CORS_ORIGINS: {
    allowed:
      'a comma-separated list of origins such as https://app.example.com ("*" is refused: requests can carry credentials)',
    schema: list(toOrigin),
    default: '',
    description: 'Comma-separated origins whose web pages may read answers.',
  },
  ALLOWED_HOSTS: {
    allowed: 'a comma-separated list of host names such as graphql.test or graphql.test:4000',
    schema: list((item) => (parseHostAndPort(item) ? item.toLowerCase() : undefined)),
    default: '',
    description: 'Comma-separated host names that a server on loopback answers to besides loopback.',
  },
  TRUSTED_PROXIES: {
    allowed: 'a comma-separated list of IP addresses and subnets such as 127.0.0.1 or 10.0.0.0/8',
    schema: list((item) => (parseSubnet(item) ? item : undefined)),
    default: '',
    description:
      'Comma-separated addresses of proxies in front of the server: what they say in X-Forwarded-For tells clients apart.',
  },
  ACCESS_TOKEN: {
    ...secret,
    allowed: `${secret.allowed}; or two such tokens with a comma between them`,
    schema: secretList(2),
    default: '',
    description:
      'Once set, every client must send it as Authorization: Bearer <token>. Two with a comma between them are both good, to change from one to the other.',
  },
  ACCESS_TOKEN_FILE: { ...secretFile, description: 'File to read ACCESS_TOKEN from, at the start only.' },
  PERSISTED_DOCUMENTS: {
    allowed: 'the path of a JSON file',
    schema: z.string().optional(),
    default: '',
    description:
      'JSON file of GraphQL documents by id, which clients then may name instead of sending them (`documentId`).',
  },
  PERSISTED_DOCUMENTS_ONLY: {
    ...flag,
    default: 'false',
    description: 'Whether nothing else than the persisted documents is executed.',
  },
  SANDBOX_DIR: {
    allowed: 'the path of a folder',
    schema: z.string().optional(),
    default: '',
    description:
      'Folder, searched in depth, of exported collections, environments and globals to serve as the account, also in production.',
  },
  SANDBOX_LIMITS: {
    ...flag,
    default: 'off',
    description: 'Whether an account served from SANDBOX_DIR has rate limits.',
  },
  REVEAL_SECRETS: {
    ...flag,
    default: 'false',
    description: 'Whether secret values inside the data are shown instead of masked.',
  },
  LOG_LEVEL: {
    allowed: `one of ${logLevels.join(', ')}`,
    schema: z.enum(logLevels),
    default: 'info',
    description: 'Least severe log lines that are written.',
  },
  GRAPHIQL: { ...flag, default: 'true', description: 'Whether GraphiQL is served; false unless set in production.' },
  NODE_ENV: {
    allowed: 'any text',
    schema: z.string().optional(),
    default: '',
    description: 'production turns GraphiQL off and starts no sandbox but that of SANDBOX_DIR.',
  },
} satisfies Record<string, Rule>;

function text<T>(read: (text: string) => T | undefined) {
  return z.string().transform((given, context) => {
    const value = read(given);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', input: given });
    return z.NEVER;
  });
}

/** A secret, or why a text cannot be one. */
function secretText(faultOf: (text: string) => string | undefined) {
  return z.string().transform((given, context) => {
    const message = faultOf(given);
    if (message === undefined) return new Secret(given);
    context.addIssue({ code: 'custom', message, input: given });
    return z.NEVER;
  });
}

function secretList(max: number) {
  return z
    .string()
    .transform((given) =>
      given
        .split(',')
        .map((item) => cleanSecret(item).text)
        .filter((item) => item !== ''),
    )
    .pipe(z.array(secretText(faultOfSecret)).min(1, 'it is blank').max(max, `it is more than ${max} tokens`))
    .default([]);
}

function list(readItem: (item: string) => string | undefined) {
  return z
    .string()
    .transform((given) =>
      given
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    )
    .pipe(z.array(text(readItem)))
    .default([]);
}

function whole(min: number, max: number, unit?: 'bytes' | 'calls' | 'ms' | 'values') {
  const read = (given: string) => (/^\d{1,15}$/.test(given) ? Number(given) : Number.NaN);
  return {
    allowed: `a whole number from ${min} to ${max}`,
    ...(unit && { unit }),
    schema: text((given) => (read(given) >= min && read(given) <= max ? read(given) : undefined)),
  };
}

function toOrigin(given: string): string | undefined {
  if (/\s/.test(given) || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  // The parser takes "*" for a host name; the second check finds user name, path, query and fragment, even empty ones.
  return parseHostAndPort(url.host) !== undefined && url.href === `${url.origin}/` ? url.origin : undefined;
}

function toUpstreamOrigin(given: string): string | undefined {
  const origin = toOrigin(given);
  if (origin === undefined) return undefined;
  return origin.startsWith('https:') || isLoopbackAddress(new URL(origin).hostname) ? origin : undefined;
}

function toListenHost(given: string): string | undefined {
  const { host, port } = parseHostAndPort(isIPv6(given) ? `[${given}]` : given) ?? {};
  return port === undefined && !given.endsWith(':') ? host : undefined;
}
