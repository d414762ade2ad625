import { assert, asyncProperty } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveAccount, type LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { toKeys } from '../support/any-account.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { toRuns } from '../support/property-runs.ts';
import { type RedisServer, skipsRedis, startRedis } from '../support/redis-server.ts';
import { anyBodies, anySteps, compareRepeatedRequests, REPEATED_ENV } from '../support/repeated-requests.ts';
import { ageSharedCache, toTenantSecret } from '../support/shared-cache.ts';
import { anySmallAccount } from '../support/small-account.ts';

const runs = toRuns(15);
const secret = toTenantSecret(9);
const WEBHOOK_SECRET = 'c0ffee5ecret0fTheHook';

describe.skipIf(skipsRedis)(`instances that share cached responses${skipsRedis && ` (${skipsRedis})`}`, () => {
  let redis: RedisServer;
  let live: LiveAccount;
  let facades: Facade[] = [];
  const keys = toKeys(2 * runs.numRuns + 4_000);
  let usedKeys = 0;

  beforeAll(async () => {
    redis = await startRedis();
    live = createLiveAccount();
    const env = {
      ...REPEATED_ENV,
      REDIS_URL: redis.url,
      TENANT_SECRET: secret.reveal(),
      CACHE_REDIS_TIMEOUT_MS: '5000',
      WEBHOOK_SECRET,
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
    const seen = { repeated: 0, compared: 0, interrupted: 0 };
    await assert(
      asyncProperty(anySmallAccount, anyBodies, anySteps(3), async (account, bodies, steps) => {
        facades[0]?.postman.reset();
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
    expect(seen.interrupted).toBeLessThan(2 + seen.compared / 100);
  }, 3_600_000);
});
