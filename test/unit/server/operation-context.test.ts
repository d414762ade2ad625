import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { createSliceScheduler } from '../../../src/graph/limits/time-slices.ts';
import { createContexts } from '../../../src/server/operation/operation-context.ts';
import { parsePreferences } from '../../../src/server/http/prefer.ts';
import { createRequestRecord, endRequest } from '../../../src/server/operation/request-record.ts';
import type { Calls } from '../../../src/upstream/calls/calls.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import type { KeyBudget } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** The names under which a request of a key takes time slices and memory for held responses. */
function sharesOf(keyHash: string | undefined): readonly string[] {
  const shares: string[] = [];
  const slices = createSliceScheduler();
  const schema = createSchema();
  const contexts = createContexts({
    schema,
    config: parseConfig({}),
    calls: {} as Calls,
    heldResponses: {
      open(name) {
        shares.push(`memory of ${name}`);
        return uncountedResponses;
      },
    },
    clock: createVirtualClock(),
    operationRecords: new WeakMap(),
    slices: {
      ...slices,
      open(name, ...rest) {
        shares.push(`slices of ${name}`);
        return slices.open(name, ...rest);
      },
    },
  });
  const record = createRequestRecord({
    requestId: 'request',
    startedAtMs: 0,
    clientAddress: '192.0.2.7',
    clientGone: new AbortController().signal,
    preferences: parsePreferences(null),
  });
  if (keyHash !== undefined)
    record.caller = { keyHash: keyHash, apiKey: new Secret('key'), keyBudget: {} as KeyBudget };
  contexts.create(record, new Request('http://localhost/'), { schema, document: parse('{ me { id } }') });
  endRequest(record);
  return shares;
}

it('a request takes time and memory from the share of its key, or of its address without a key', () => {
  expect(sharesOf('one')).toEqual(['memory of one', 'slices of one']);
  expect(sharesOf('two')).toEqual(['memory of two', 'slices of two']);
  expect(sharesOf(undefined)).toEqual(['slices of 192.0.2.7']);
});
