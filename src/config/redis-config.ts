import { z } from 'zod';
import type { WithoutStore } from '../upstream/rate-limiter/redis/exchange.ts';
import { Secret } from '../upstream/http/secret.ts';

/** How slots are shared with other instances. */
export interface RedisConfig {
  readonly url: Secret;
  /** Secrets for the HMACs that name API keys in Redis: the current one, and the one before it. */
  readonly tenantSecrets: readonly [Secret, Secret?];
  readonly withoutRedis: WithoutStore;
}

const MIN_SECRET_BYTES = 32;
const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;

/** Reads the URL of a Redis server. */
export const redisUrl = z.string().transform((given, context) => {
  if (URL.canParse(given) && /^rediss?:\/\/[^/]/.test(given)) return new Secret(given);
  context.addIssue({ code: 'custom', message: 'it is not the address of a Redis server', input: given });
  return z.NEVER;
});

/** Reads one secret, or two separated by a comma. */
export const tenantSecrets = z.string().transform((given, context): readonly [Secret, Secret?] => {
  const texts = given.split(',').map((text) => text.trim());
  const [current = '', former, ...more] = texts;
  const isInvalid = texts.some((text) => !BASE64.test(text) || Buffer.from(text, 'base64').length < MIN_SECRET_BYTES);
  if (!isInvalid && more.length === 0)
    return [new Secret(current), ...(former === undefined ? [] : [new Secret(former)])] as [Secret, Secret?];
  const message = isInvalid ? `it is not base64 of ${MIN_SECRET_BYTES} bytes or more` : 'it is more than two secrets';
  context.addIssue({ code: 'custom', message, input: given });
  return z.NEVER;
});

/** How cached responses are shared with other instances. */
export interface SharedCacheConfig {
  readonly url: Secret;
  readonly secrets: readonly [Secret, Secret?];
  /** How long a call waits for Redis. */
  readonly timeoutMs: number;
}

/** Reads the URL of a Redis server, or `off`. */
export const redisUrlOrOff = z.union([z.literal('off'), redisUrl]);

/** Combines the variables of the shared cache. @returns undefined if cached responses are not shared. */
export function toSharedCacheConfig(
  cacheUrl: Secret | 'off' | undefined,
  limiterUrl: Secret | undefined,
  secrets: RedisConfig['tenantSecrets'] | undefined,
  timeoutMs: number,
): { readonly shared: SharedCacheConfig } | undefined {
  const url = cacheUrl ?? limiterUrl;
  return url === undefined || url === 'off' || !secrets ? undefined : { shared: { url, secrets, timeoutMs } };
}

/** Combines the variables of Redis. @returns undefined if slots are not shared. */
export function toRedisConfig(
  url: Secret | undefined,
  secrets: RedisConfig['tenantSecrets'] | undefined,
  withoutRedis: WithoutStore,
): { readonly redis: RedisConfig } | undefined {
  return url && secrets && { redis: { url, tenantSecrets: secrets, withoutRedis } };
}
