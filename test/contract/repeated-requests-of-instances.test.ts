import { assert, asyncProperty, tuple } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveAccount, type LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { anyOperation, toText, withKnownCursors } from '../support/any-operation.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { toRuns } from '../support/property-runs.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { anySteps, compareRepeatedRequests, SWR_MS, TTL_MS } from '../support/repeated-requests.ts';
import { ageSharedCache, toTenantSecret } from '../support/shared-cache.ts';
import { anySmallAccount } from '../support/small-account.ts';

const runs = toRuns(15);
const secret = toTenantSecret(9);
const WEBHOOK_SECRET = 'c0ffee5ecret0fTheHook';

describe.skipIf(skipsRedis)(`instances that share cached responses${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let live: LiveAccount;
  let facades: Facade[] = [];
  const keys = Array.from({ length: 2 * runs.numRuns + 4_000 }, (_, index) => `PMAK-any-${index}`);
  let usedKeys = 0;

  beforeAll(async () => {
    redis = await startRedis();
    live = createLiveAccount();
    const env = {
      REDIS_URL: redis.url,
      TENANT_SECRET: secret.reveal(),
      CACHE_REDIS_TIMEOUT_MS: '5000',
      WEBHOOK_SECRET,
      RATE_LIMIT: '100000',
      RATE_LIMIT_WINDOW_MS: '1000',
      BURST_LIMIT: '0',
      MAX_CALLS_PER_OPERATION: '100000',
      MAX_QUERY_TOKENS: '10000',
      MAX_QUERY_ALIASES: '1000',
      CACHE_TTL_MS: String(TTL_MS),
      CACHE_SWR_MS: String(SWR_MS),
      LOG_LEVEL: 'silent',
    };
    const first = await startFacade(env, { account: live.account, otherApiKeys: keys });
    const same = { ...env, POSTMAN_API_BASE_URL: first.postman.origin, POSTMAN_API_KEY: first.postman.apiKey };
    facades = [first, await startFacade(same), await startFacade(same)];
  });
  afterAll(async () => {
    await Promise.all(facades.map((facade) => facade.close()));
    await redis?.stop();
  });

  const report = async ({ url }: Pick<Facade, 'url'>, uids: readonly string[]) => {
    for (const uid of uids) {
      const { status } = await fetch(new URL('/hooks/postman', url), {
        method: 'POST',
        headers: { authorization: `Bearer ${WEBHOOK_SECRET}` },
        body: JSON.stringify({ action: 'update', model: 'collection', model_uid: uid, collection_uid: uid }),
      });
      expect(status).toBe(204);
    }
  };

  it('a repeated request gets what an executed one gets', async () => {
    const seen = { repeated: 0, compared: 0 };
    await assert(
      asyncProperty(anySmallAccount, tuple(anyOperation, anyOperation), anySteps(3), async (account, pair, steps) => {
        facades[0]?.postman.reset();
        const bodies = pair.map((one) => JSON.stringify({ query: toText(withKnownCursors(one, false), new Map()) }));
        const keysOfRun = [keys[usedKeys++] ?? '', keys[usedKeys++] ?? ''];
        const instances = {
          facades,
          live,
          report,
          async skip(ms: number) {
            for (const facade of facades) facade.skip(ms);
            for (const key of keysOfRun) await ageSharedCache(redis, key, secret, ms);
          },
          failNext: (count: number, status: number) => facades[0]?.postman.failNext(count, { kind: 'status', status }),
        };
        await compareRepeatedRequests(instances, account, bodies, keysOfRun, steps, seen);
      }),
      runs,
    );
    if (process.env['RUNS']) process.stdout.write(`${JSON.stringify(seen)}\n`);
    expect(seen.compared).toBeGreaterThan(seen.repeated / 3);
  }, 3_600_000);
});
