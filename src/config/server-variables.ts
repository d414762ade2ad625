import { z } from 'zod';
import { parseHostAndPort, parseSubnet, toOrigin } from './addresses.ts';
import { flag, heapShare, HOUR_MS, list, MEBIBYTE, type Rule, secret, secretFile, secretList, whole } from './rule.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What clients may send, who may ask, and how the server answers. */
export const serverVariables = {
  MAX_QUERY_DEPTH: { ...whole(1, 1000), default: '40', description: 'Deepest nesting of a GraphQL document.' },
  MAX_QUERY_ALIASES: { ...whole(1, 10_000), default: '100', description: 'Most aliases in a GraphQL document.' },
  MAX_QUERY_TOKENS: { ...whole(1, 1_000_000), default: '4000', description: 'Most tokens in a GraphQL document.' },
  MAX_REQUEST_BYTES: {
    ...whole(1, 100 * MEBIBYTE, 'bytes'),
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
    ...whole(1, HOUR_MS, 'ms'),
    default: '65000',
    description:
      'How long a connection of a client is kept for its next request: longer than a balancer in front keeps it. Ten seconds at most while more than half of the 4,096 connections are open.',
  },
  CORS_ORIGINS: {
    allowed:
      'a comma-separated list of origins such as https://app.example.com ("*" is refused: requests can carry credentials)',
    schema: list(toOrigin),
    description: 'Comma-separated origins whose web pages may read answers.',
  },
  ALLOWED_HOSTS: {
    allowed: 'a comma-separated list of host names such as graphql.test or graphql.test:4000',
    schema: list((item) => (parseHostAndPort(item) ? item.toLowerCase() : undefined)),
    description: 'Comma-separated host names that a server on loopback answers to besides loopback.',
  },
  TRUSTED_PROXIES: {
    allowed: 'a comma-separated list of IP addresses and subnets such as 127.0.0.1 or 10.0.0.0/8',
    schema: list((item) => (parseSubnet(item) ? item : undefined)),
    description:
      'Comma-separated addresses of proxies in front of the server: what they say in X-Forwarded-For tells clients apart.',
  },
  ACCESS_TOKEN: {
    ...secret,
    allowed: `${secret.allowed}; or two such tokens with a comma between them`,
    schema: secretList(2),
    description:
      'Once set, every client must send it as Authorization: Bearer <token>. Two with a comma between them are both good, to change from one to the other.',
  },
  ACCESS_TOKEN_FILE: { ...secretFile, description: 'File to read ACCESS_TOKEN from, at the start only.' },
  PERSISTED_DOCUMENTS: {
    allowed: 'the path of a JSON file',
    schema: z.string().optional(),
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
    description: 'production turns GraphiQL off and starts no sandbox but that of SANDBOX_DIR.',
  },
} satisfies Record<string, Rule>;
