import { describe, expect, it } from 'vitest';
import { negotiateParts } from '../../../src/server/incremental/negotiate-parts.ts';

const OLDER = 'deferSpec=20220824';
const NEWER = 'incrementalSpec=v0.2';
const MULTIPART = 'multipart/mixed; boundary="-"';
const EVENTS = 'text/event-stream';

describe('negotiateParts', () => {
  it.each([
    [null, 'multipart/mixed', OLDER, MULTIPART],
    ['*/*', 'multipart/mixed', OLDER, MULTIPART],
    ['multipart/mixed', 'multipart/mixed', OLDER, MULTIPART],
    ['text/*', 'text/event-stream', OLDER, EVENTS],
    ['application/json, text/event-stream, multipart/mixed', 'multipart/mixed', OLDER, MULTIPART],
    ['multipart/mixed;deferSpec=20220824', 'multipart/mixed', OLDER, `${MULTIPART}; ${OLDER}`],
    ['multipart/mixed;incrementalSpec=v0.1', 'multipart/mixed', OLDER, `${MULTIPART}; ${OLDER}`],
    [
      'multipart/mixed;incrementalSpec=v0.2, application/graphql-response+json, application/json;q=0.9',
      'multipart/mixed',
      NEWER,
      `${MULTIPART}; ${NEWER}`,
    ],
    ['Multipart/Mixed ; IncrementalSpec = "V0.2"', 'multipart/mixed', NEWER, `${MULTIPART}; ${NEWER}`],
    ['text/event-stream; incrementalSpec=v0.2', 'text/event-stream', NEWER, `${EVENTS}; ${NEWER}`],
    ['multipart/mixed, text/event-stream; incrementalSpec=v0.2', 'text/event-stream', NEWER, `${EVENTS}; ${NEWER}`],
    [`multipart/mixed;${OLDER};q=0.5, multipart/mixed;${NEWER}`, 'multipart/mixed', NEWER, `${MULTIPART}; ${NEWER}`],
    [`multipart/mixed;${OLDER}, multipart/mixed;${NEWER}`, 'multipart/mixed', OLDER, `${MULTIPART}; ${OLDER}`],
    ['multipart/mixed;q=0.1, text/event-stream;q=0.2', 'text/event-stream', OLDER, EVENTS],
    ['multipart/mixed;q=0, */*', 'text/event-stream', OLDER, EVENTS],
    ['multipart/mixed;incrementalSpec=v9, text/event-stream', 'text/event-stream', OLDER, EVENTS],
    ['multipart/mixed;boundary="a,b;c";subscriptionSpec="1.0"', 'multipart/mixed', OLDER, MULTIPART],
  ])('chooses for %s', (accept, mediaType, format, contentType) => {
    expect(negotiateParts(accept)).toEqual({ mediaType, format, contentType });
  });

  it.each([
    ['application/json', 'no parts'],
    ['', 'no parts'],
    ['multipart/mixed;q=0, text/event-stream;q=0.0', 'no parts'],
    ['multipart/mixed;charset=latin1', 'no parts'],
    ['multipart/mixed;incrementalSpec=v0.3', 'unknown format'],
    ['multipart/mixed;deferSpec=20250101, application/json', 'unknown format'],
    ['text/event-stream;incrementalSpec=', 'unknown format'],
    ['multipart/mixed;incrementalDeliverySpec=3283f8a', 'unknown format'],
    ['multipart/mixed;incrementalSpec=v9, text/event-stream;incrementalSpec=v9, */*', 'unknown format'],
  ])('refuses %s', (accept, reason) => {
    expect(negotiateParts(accept)).toBe(reason);
  });
});
