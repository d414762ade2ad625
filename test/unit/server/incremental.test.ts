import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createSchema } from '../../../src/graph/schema.ts';
import { createDocumentReader } from '../../../src/graph/limits/document-reader.ts';
import { type ResultPart, mapParts, toDelivery } from '../../../src/server/incremental/incremental.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const schema = createSchema();
const whole = { isIncremental: false, isStreamed: false };
const deferred = { isIncremental: true, isStreamed: false };
const streamed = { isIncremental: true, isStreamed: true };

describe('toDelivery', () => {
  const toDeliveryOf = (text: string, variables = {}, operationName?: string) => {
    const document = parse(text);
    const definition = getOperationAST(document, operationName);
    const reader = createDocumentReader(schema, document, operationName, variables);
    return toDelivery(definition!, reader!);
  };

  it.each([
    ['{ workspaces { nodes { name } } }', whole],
    ['{ ... @defer { me { username } } }', deferred],
    ['{ workspaces { nodes @stream { name } } }', streamed],
    ['{ ... @defer { workspaces { nodes @stream { name } } } }', streamed],
    ['{ ...Me @defer } fragment Me on Query { me { username } }', deferred],
    ['{ ...Mine } fragment Mine on Query { ... { ...Me @defer } ...Me } fragment Me on Query { me { id } }', deferred],
    ['{ ... @defer(if: false) { me { username } } }', whole],
    ['{ ... @skip(if: true) { ... @defer { me { username } } } me { id } }', whole],
    ['{ workspaces { nodes @stream @include(if: false) { name } totalCount } }', whole],
  ])('reads %s', (text, delivery) => {
    expect(toDeliveryOf(text)).toEqual(delivery);
  });

  it.each([
    [{ later: true }, deferred],
    [{ later: false }, whole],
    [{}, whole],
  ])('evaluates variables: %o', (variables, delivery) => {
    const text = 'query ($later: Boolean! = false) { ... @defer(if: $later) { me { username } } }';
    expect(toDeliveryOf(text, variables)).toEqual(delivery);
  });

  it('looks only at the operation that is executed', () => {
    const text = 'query Rows { workspaces { nodes @stream { name } } } query Me { me { username } }';
    expect(toDeliveryOf(text, {}, 'Rows')).toEqual(streamed);
    expect(toDeliveryOf(text, {}, 'Me')).toEqual(whole);
  });
});

describe('mapParts', () => {
  /** Parts that the test sends. */
  function start() {
    const clock = createVirtualClock();
    const seen: unknown[] = [];
    const ends: string[] = [];
    const stopping = new AbortController();
    let send = (_part: IteratorResult<ResultPart>) => {};
    let fail = (_error: Error) => {};
    const source: AsyncIterator<ResultPart> = {
      next: () =>
        new Promise((resolve, reject) => {
          send = resolve;
          fail = reject;
        }),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
    const parts = mapParts(
      { [Symbol.asyncIterator]: () => source },
      {
        map(part) {
          if (part.errors) throw new TypeError('cannot be mapped');
          return part;
        },
        onFailure: (error) => ({ hasNext: false, extensions: { failure: String(error) } }),
        onEnd: () => ends.push('end'),
        stopped: stopping.signal,
        clock,
      },
    );
    const reading = (async () => {
      for await (const part of parts) seen.push(part);
    })();
    return {
      clock,
      seen,
      ends,
      reading,
      async send(value: ResultPart) {
        send({ done: false, value });
        await clock.settle();
      },
      fail: (error: Error) => fail(error),
      stop: (error: Error) => stopping.abort(error),
    };
  }

  it('sends an empty part after every 15 s of silence, and loses or repeats no part', async () => {
    const { clock, seen, ends, reading, send } = start();
    await send({ hasNext: true, incremental: [] });
    await clock.advance(14_999);
    expect(seen).toEqual([{ hasNext: true, incremental: [] }]);
    await clock.advance(1);
    expect(seen.slice(1)).toEqual([{ hasNext: true }]);
    await clock.advance(15_000);
    expect(seen.slice(1)).toEqual([{ hasNext: true }, { hasNext: true }]);
    await send({ hasNext: false, extensions: {} });
    expect(seen.slice(3)).toEqual([{ hasNext: false, extensions: {} }]);
    await reading;
    await clock.advance(60_000);
    expect([seen.length, ends]).toEqual([4, ['end']]);
  });

  it('ends with a part that reports a failure, even after a silence', async () => {
    const { clock, seen, ends, reading, fail } = start();
    await clock.advance(20_000);
    fail(new Error('broken'));
    await reading;
    expect(seen).toEqual([{ hasNext: true }, { hasNext: false, extensions: { failure: 'Error: broken' } }]);
    expect(ends).toEqual(['end']);
  });

  it('ends with such a part as soon as the signal aborts, even if another part would follow', async () => {
    const { clock, seen, ends, reading, send, stop } = start();
    await send({ hasNext: true, incremental: [] });
    await clock.advance(15_000);
    stop(new Error('too much'));
    await reading;
    await send({ hasNext: true, incremental: [] });
    expect(seen).toEqual([
      { hasNext: true, incremental: [] },
      { hasNext: true },
      { hasNext: false, extensions: { failure: 'Error: too much' } },
    ]);
    expect(ends).toEqual(['end']);
  });

  it('ends with such a part if a part cannot be mapped', async () => {
    const { seen, ends, reading, send } = start();
    await send({ hasNext: true, errors: [] });
    await reading;
    expect(seen).toEqual([{ hasNext: false, extensions: { failure: 'TypeError: cannot be mapped' } }]);
    expect(ends).toEqual(['end']);
  });
});
