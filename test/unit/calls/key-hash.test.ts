import { assert, constantFrom, oneof, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { createResponseCache } from '../../../src/upstream/cache/response-cache.ts';
import { createSystemClock } from '../../../src/upstream/clock.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { createKeyHasher } from '../../../src/upstream/calls/api-keys/key-hash.ts';
import { toRuns } from '../../support/property-runs.ts';

const hashKey = createKeyHasher();
const runs = toRuns(20_000);
/** Keys and targets that differ by delimiters, empty parts, case and Unicode forms, which is where joined keys collide. */
const awkward = oneof(
  string({ unit: 'binary', maxLength: 12 }),
  string({ unit: constantFrom(' ', ':', '/', '|', '\0', 'a', 'A', 'é', 'e\u0301', '%20'), maxLength: 6 }),
);

it('gives equal keys equal hashes and different keys different ones, always of 43 characters', () => {
  assert(
    property(awkward, awkward, (one, other) => {
      const [a, b] = [hashKey(new Secret(one)), hashKey(new Secret(other))];
      expect(a).toMatch(/^[\w-]{43}$/);
      expect(a === b).toBe(Buffer.from(one).equals(Buffer.from(other)));
    }),
    runs,
  );
});

it('gives a key the same hash in every process with the same secret, and another under another secret', () => {
  const under = (byte: number) =>
    createKeyHasher(new Secret(Buffer.alloc(32, byte).toString('base64')))(new Secret('PMAK-1'));
  expect([under(1) === under(1), under(1) === under(2)]).toEqual([true, false]);
});

it('gives a key different hashes in two processes without a secret', () => {
  expect(createKeyHasher()(new Secret('PMAK-1'))).not.toBe(hashKey(new Secret('PMAK-1')));
});

it('never answers from the cache of another key or another target', () => {
  assert(
    property(awkward, awkward, awkward, awkward, (key, target, otherKey, otherTarget) => {
      const cache = createResponseCache({
        ttlMs: 60_000,
        swrMs: 0,
        staleIfErrorMs: 0,
        renewMs: 0,
        maxBytes: 100_000,
        clock: createSystemClock(),
      });
      const [keyHash, otherHash] = [hashKey(new Secret(key)), hashKey(new Secret(otherKey))];
      cache.set(keyHash, target, { outcome: { value: 'canary' }, bytes: 6, updatedAt: null, sentAtMs: 0 });
      const isSame = keyHash === otherHash && target === otherTarget;
      expect(cache.get(otherHash, otherTarget)?.outcome).toEqual(isSame ? { value: 'canary' } : undefined);
    }),
    runs,
  );
});
