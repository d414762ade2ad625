import { z } from 'zod';
import { parseHostAndPort, parseSubnet, toOrigin } from './addresses.ts';
import {
  flag,
  heapBytes,
  HOUR_MS,
  list,
  MEBIBYTE,
  type Rule,
  secret,
  secretFile,
  secretList,
  text,
  whole,
} from './rule.ts';
import { Secret } from '../upstream/http/secret.ts';

const samplers = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
] as const;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What clients may send, who has access, and how the server responds. */
export const serverVariables = {
  MAX_QUERY_DEPTH: { ...whole(1, 1000), default: '40', description: 'Maximum nesting depth of a GraphQL document.' },
  MAX_QUERY_ALIASES: {
    ...whole(1, 10_000),
    default: '100',
    description: 'Maximum number of aliases in a GraphQL document.',
  },
  MAX_QUERY_TOKENS: {
    ...whole(1, 1_000_000),
    default: '4000',
    description: 'Maximum number of tokens in a GraphQL document.',
  },
  MAX_REQUEST_BYTES: {
    ...whole(1, 100 * MEBIBYTE, 'bytes'),
    default: '1048576',
    description: 'Maximum size of the body of a GraphQL request.',
  },
  MAX_REQUEST_BYTES_IN_FLIGHT: {
    ...heapBytes,
    description:
      'Memory for GraphQL requests of more than 2 KiB that are being read or executed, and for the objects made ' +
      'from them; by default 2/64 of the old generation of the heap.',
  },
  DOCUMENT_CACHE_MAX_BYTES: {
    ...heapBytes,
    description:
      'Heap memory of the cache of parsed GraphQL documents; by default 1/64 of the old generation of the heap.',
  },
  KEEP_ALIVE_TIMEOUT_MS: {
    ...whole(1, HOUR_MS, 'ms'),
    default: '65000',
    description:
      'How long an idle client connection stays open; set it above the idle timeout of a load balancer in front. ' +
      'While more than half of the 4,096 connections are open, it is at most ten seconds.',
  },
  CORS_ORIGINS: {
    allowed:
      'a comma-separated list of origins such as https://app.example.com ' +
      '("*" is refused: requests can carry credentials)',
    schema: list(toOrigin),
    description: 'Comma-separated origins whose web pages may read responses.',
  },
  ALLOWED_HOSTS: {
    allowed: 'a comma-separated list of host names such as graphql.test or graphql.test:4000',
    schema: list((item) => (parseHostAndPort(item) ? item.toLowerCase() : undefined)),
    description: 'Comma-separated host names that a server on loopback accepts in addition to loopback.',
  },
  TRUSTED_PROXIES: {
    allowed: 'a comma-separated list of IP addresses and subnets such as 127.0.0.1 or 10.0.0.0/8',
    schema: list((item) => (parseSubnet(item) ? item : undefined)),
    description:
      'Comma-separated addresses of proxies in front of the server, whose X-Forwarded-For tells clients apart.',
  },
  ACCESS_TOKEN: {
    ...secret,
    allowed: `${secret.allowed}; or two such tokens, separated by a comma`,
    schema: secretList(2),
    description:
      'If set, every client must send it as Authorization: Bearer <token>. To rotate it, set the old and the new ' +
      'token, separated by a comma: both are accepted.',
  },
  ACCESS_TOKEN_FILE: { ...secretFile, description: 'File that contains ACCESS_TOKEN; it is read only at startup.' },
  WEBHOOK_SECRET: {
    ...secret,
    allowed: `${secret.allowed}; or two such secrets, separated by a comma`,
    schema: secretList(2),
    description:
      'Secret with which webhooks of Postman report changes to /hooks/postman, so that changed responses are no longer ' +
      'served from the cache. To rotate it, set the old and the new secret, separated by a comma: both are accepted. ' +
      'Unset: there is no such path.',
  },
  WEBHOOK_SECRET_FILE: { ...secretFile, description: 'File that contains WEBHOOK_SECRET; it is read only at startup.' },
  PERSISTED_DOCUMENTS: {
    allowed: 'the path of a JSON file',
    schema: z.string().optional(),
    description:
      'JSON file that maps ids to GraphQL documents, or a manifest of Apollo. Clients can then send an id instead of a ' +
      'document.',
  },
  PERSISTED_DOCUMENTS_ONLY: {
    ...flag,
    default: 'false',
    description: 'Whether only persisted documents are executed.',
  },
  PERSISTED_QUERIES_MAX_BYTES_PER_KEY: {
    ...whole(0, 1024 * MEBIBYTE, 'bytes'),
    default: '0',
    description:
      'Heap memory for the automatic persisted queries of Apollo that clients with one API key store; 0 turns them ' +
      'off. All keys together may use 1/64 of the old generation of the heap.',
  },
  SANDBOX_DIR: {
    allowed: 'the path of a folder',
    schema: z.string().optional(),
    description:
      'Folder of exported collections, environments and globals, subfolders included, that is served as the ' +
      'account, also in production.',
  },
  SANDBOX_LIMITS: {
    ...flag,
    default: 'off',
    description: 'Whether the account served from SANDBOX_DIR has rate limits.',
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
    description: 'Minimum severity of the log lines that are written.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    allowed: 'an address such as http://127.0.0.1:4318, without user name, query and fragment',
    schema: text(toEndpoint).optional(),
    description:
      'Base address of an OpenTelemetry collector, to which traces are sent by OTLP over HTTP (its path `/v1/traces`); ' +
      'if it is not set, there are none.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    isSecret: true,
    allowed: 'a comma-separated list of name=value, with values in percent-encoding',
    schema: text(toHeaders).optional(),
    description: 'Headers to send to the collector, such as `authorization=Bearer%20token`.',
  },
  OTEL_SERVICE_NAME: {
    allowed: 'a text of at most 255 characters',
    schema: z.string().max(255),
    default: 'postman-graphql',
    description: 'Name of the service in traces.',
  },
  OTEL_TRACES_SAMPLER: {
    allowed: `one of ${samplers.join(', ')}`,
    schema: z.enum(samplers),
    default: 'parentbased_always_on',
    description:
      'Which operations are traced. With `parentbased_…` the `traceparent` of a client decides, so clients can have ' +
      'each of their operations traced.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    allowed: 'a number from 0 to 1',
    schema: text((given) =>
      /^(?:0(?:\.\d{1,15})?|\.\d{1,15}|1(?:\.0{1,15})?)$/.test(given) ? Number(given) : undefined,
    ),
    default: '1',
    description: 'The fraction of operations that `traceidratio` and `parentbased_traceidratio` trace.',
  },
  GRAPHIQL: {
    ...flag,
    default: 'true',
    description: 'Whether GraphiQL is served; in production the default is false.',
  },
  NODE_ENV: {
    allowed: 'any text',
    schema: z.string().optional(),
    description:
      'production turns GraphiQL off by default, shows the schema only to clients with an accepted API key, and ' +
      'starts no sandbox unless SANDBOX_DIR is set.',
  },
} satisfies Record<string, Rule>;

function toEndpoint(given: string): URL | undefined {
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '' ? url : undefined;
}

/** Reads headers as OpenTelemetry writes them. @returns A secret: the JSON of an object of values by name. */
function toHeaders(given: string): Secret | undefined {
  try {
    const pairs = given.split(',').map((pair) => {
      const [, name = '', value = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([!-~]*)\s*$/.exec(pair) ?? [];
      return [name.toLowerCase(), decodeURIComponent(value)] as const;
    });
    const isValid = pairs.every(([name, value]) => name !== '' && /^[ -~]+$/.test(value));
    return isValid ? new Secret(JSON.stringify(Object.fromEntries(pairs))) : undefined;
  } catch {
    return undefined;
  }
}
