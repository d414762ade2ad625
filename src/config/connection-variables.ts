import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { toProxy } from '../upstream/http/proxy.ts';
import { isLoopbackAddress, parseHostAndPort, toOrigin } from './addresses.ts';
import { type Rule, secret, secretFile, secretText, text, whole } from './rule.ts';
import { faultOfApiKey } from './secret-text.ts';

const proxy = {
  // It may hold a password.
  isSecret: true as const,
  allowed: 'the address of an HTTP proxy such as http://proxy.example:3128 or http://user:password@proxy.example:3128',
  schema: text(toProxy).optional(),
};

const host = { allowed: 'a host name or an IP address, without port', schema: text(toListenHost) };
const port = whole(0, 65_535);

/** How the server reaches Postman, and where it listens. */
export const connectionVariables = {
  POSTMAN_API_KEY: {
    ...secret,
    schema: secretText(faultOfApiKey).optional(),
    description:
      'Postman API key for requests without X-Api-Key. If neither it nor POSTMAN_API_BASE_URL is set, the sandbox ' +
      'is served.',
  },
  POSTMAN_API_KEY_FILE: {
    ...secretFile,
    description: 'File that contains POSTMAN_API_KEY; it is read only at startup.',
  },
  POSTMAN_API_BASE_URL: {
    allowed:
      'an https origin such as https://api.postman.com (http only to loopback), without user name, path or query',
    schema: text(toUpstreamOrigin),
    default: 'https://api.getpostman.com',
    description: 'Origin of the Postman API; the EU one is https://api.eu.postman.com.',
  },
  HTTPS_PROXY: {
    ...proxy,
    description: 'HTTP proxy through which calls to Postman are tunnelled (CONNECT). Calls to loopback bypass it.',
  },
  HTTP_PROXY: { ...proxy, description: 'Proxy to use if HTTPS_PROXY is not set.' },
  NO_PROXY: {
    allowed: 'a list of host names, or *',
    schema: z.string().default(''),
    description: 'Comma-separated hosts that are called without a proxy, as are their subdomains; * for all hosts.',
  },
  HOST: {
    ...host,
    default: '127.0.0.1',
    description:
      'Address to listen on. If it is not loopback, POSTMAN_API_KEY and SANDBOX_DIR each require ACCESS_TOKEN.',
  },
  PORT: { ...port, default: '4000', description: 'Port to listen on; 0 picks a free one.' },
  METRICS_HOST: {
    ...host,
    default: '127.0.0.1',
    description:
      'Address on which metrics are served. They reveal nothing about clients, but everyone who reaches it can read ' +
      'how busy the server is.',
  },
  METRICS_PORT: {
    ...port,
    schema: port.schema.optional(),
    description:
      'Port on which metrics are served to Prometheus, at /metrics; 0 picks a free one. Unset: there are none.',
  },
} satisfies Record<string, Rule>;

function toUpstreamOrigin(given: string): string | undefined {
  const origin = toOrigin(given);
  if (origin === undefined) return undefined;
  return origin.startsWith('https:') || isLoopbackAddress(new URL(origin).hostname) ? origin : undefined;
}

function toListenHost(given: string): string | undefined {
  // Node compiles a large expression when `isIPv6` is first called.
  const isAddress = given.includes(':') && isIPv6(given);
  const { host, port } = parseHostAndPort(isAddress ? `[${given}]` : given) ?? {};
  return port === undefined && !given.endsWith(':') ? host : undefined;
}
