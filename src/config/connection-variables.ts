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

/** Whom the server calls, and where it listens. */
export const connectionVariables = {
  POSTMAN_API_KEY: {
    ...secret,
    schema: secretText(faultOfApiKey).optional(),
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
    description: 'Comma-separated hosts, with those below them, that are called without a proxy; * for all.',
  },
  HOST: {
    allowed: 'a host name or an IP address, without port',
    schema: text(toListenHost),
    default: '127.0.0.1',
    description: 'Address to listen on; with a server key or SANDBOX_DIR, one that is not loopback needs ACCESS_TOKEN.',
  },
  PORT: { ...whole(0, 65_535), default: '4000', description: 'Port to listen on; 0 picks a free one.' },
} satisfies Record<string, Rule>;

function toUpstreamOrigin(given: string): string | undefined {
  const origin = toOrigin(given);
  if (origin === undefined) return undefined;
  return origin.startsWith('https:') || isLoopbackAddress(new URL(origin).hostname) ? origin : undefined;
}

function toListenHost(given: string): string | undefined {
  const { host, port } = parseHostAndPort(isIPv6(given) ? `[${given}]` : given) ?? {};
  return port === undefined && !given.endsWith(':') ? host : undefined;
}
