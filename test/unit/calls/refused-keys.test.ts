import { describe, expect, it } from 'vitest';
import { toMissingKey } from '../../../src/server/api-key-messages.ts';
import { adviseOnKeyForm } from '../../../src/upstream/calls/api-keys/key-form.ts';
import { createExplainRefusedKey, type Upstream } from '../../../src/upstream/calls/api-keys/refused-keys.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';

const PART = '0a1b2c3d4e5f60718293a4b5';
const TAIL = `${PART}0123456789`;
const WHOLE = `PMAK-${PART}-${TAIL}`;

describe('the form of a key', () => {
  it.each([
    ['a word before the key', [`Bearer ${WHOLE}`, `bearer: ${WHOLE}`, `X-Api-Key: ${WHOLE}`, `apikey=${WHOLE}`]],
    [
      'name of a variable',
      [
        '{{postman_api_key}}',
        '${POSTMAN_API_KEY}',
        '$POSTMAN_API_KEY',
        '%POSTMAN_API_KEY%',
        '<your key>',
        'undefined',
        'null',
        '[object Object]',
        'process.env.KEY',
      ],
    ],
    ['quotation marks or brackets', [`"${WHOLE}"`, `'${WHOLE}'`, `${WHOLE}"`, `[${WHOLE}]`]],
    ['white space, a comma or a semicolon', [`${WHOLE}, ${WHOLE}`, `${WHOLE} x`, `${WHOLE};`, `${WHOLE}\n`]],
    ['a collection access key', [`PMAT-${TAIL}`, `pmat-${TAIL}`]],
    ['an access token', [`pma_at_${TAIL}`, `eyJhbGciOi.${TAIL}`]],
    ['an id', ['ec29121c-5203-409f-9e84-e83ffc10f226']],
    [
      'not have the form of a complete API key',
      [WHOLE.slice(0, -1), `${WHOLE}0`, `PMAK-${PART}`, 'PMAK-...', 'PMAK-\u2026', 'PMAK-********'],
    ],
    ['begins with PMAK-', ['your-api-key', `PMSK-${TAIL}`, `sk-${TAIL}`, 'a']],
  ])('%s', (advice, keys) => {
    for (const key of keys) {
      expect(adviseOnKeyForm(key)).toContain(advice);
      expect(adviseOnKeyForm(key)).not.toMatch(/0a1b|0123|ec29|alg/i);
    }
  });

  it.each([WHOLE, WHOLE.toUpperCase(), 'a'.repeat(32), 'A0'.repeat(32)])('that may be one: %s', (key) => {
    expect(adviseOnKeyForm(key)).toBeUndefined();
  });
});

const explain = (upstream: Upstream, key: string, message = 'Postman refused the API key (status 401).') =>
  createExplainRefusedKey(upstream)(
    new UpstreamError('unauthenticated', message, { route: '/me', status: 401, upstreamName: 'AuthenticationError' }),
    new Secret(key),
  );

const refused = (message: string) =>
  new UpstreamError('unauthenticated', message, { route: '/me', status: 401, upstreamName: 'AuthenticationError' });

describe('the refusal of a key', () => {
  it.each([
    [
      'https://api.getpostman.com',
      'The key was sent to api.getpostman.com. It may have expired or been revoked, or belong to an account in the EU, whose keys work only at https://api.eu.postman.com (POSTMAN_API_BASE_URL).',
    ],
    [
      'https://api.postman.com',
      'The key was sent to api.postman.com. It may have expired or been revoked, or belong to an account in the EU, whose keys work only at https://api.eu.postman.com (POSTMAN_API_BASE_URL).',
    ],
    [
      'https://api.eu.postman.com',
      'The key was sent to api.eu.postman.com. It may have expired or been revoked, or belong to an account outside the EU, whose keys work only at https://api.getpostman.com (POSTMAN_API_BASE_URL).',
    ],
    [
      'http://127.0.0.1:8080',
      "The key was sent to 127.0.0.1:8080. It may have expired or been revoked, or be for another host: this one is not Postman's (POSTMAN_API_BASE_URL).",
    ],
  ])('of %s names it, and where else the key may be good', (origin, advice) => {
    expect(explain({ origin }, WHOLE)).toEqual(refused(`Postman refused the API key (status 401). ${advice}`));
  });

  it('says what is wrong with its form, and nothing of regions then', () => {
    expect(explain({ origin: 'https://api.getpostman.com' }, '"a"', 'Postman says no')).toEqual(
      refused(
        'Postman says no. The key was sent to api.getpostman.com. There are quotation marks or brackets around the key: send it without them.',
      ),
    );
  });

  it.each([
    [
      'exampleAccount',
      'an embedded example account, which accepts no key: omit X-Api-Key, or leave it empty. To use Postman, start the server with POSTMAN_API_BASE_URL=https://api.getpostman.com.',
    ],
    ['exports', 'the exported files of SANDBOX_DIR, which accepts no key: omit X-Api-Key, or leave it empty.'],
  ] as const)('of the sandbox says that it is one: %s', (upstream, what) => {
    expect(explain(upstream, WHOLE)).toEqual(
      refused(`The sandbox refused the API key. This server uses its sandbox, ${what}`),
    );
  });

  it('is all that is explained', () => {
    const explainAny = createExplainRefusedKey({ origin: 'https://api.getpostman.com' });
    for (const thrown of [new UpstreamError('forbidden', 'No.', {}), new TypeError('x'), 'x', undefined])
      expect(explainAny(thrown, new Secret(WHOLE))).toBe(thrown);
  });
});

describe('a request without a key', () => {
  const missing = 'There is no API key: send one in the X-Api-Key header.';
  const tell = (headers: Record<string, string>, query = '', hasAccessToken = false) =>
    toMissingKey(new Request(`http://127.0.0.1/graphql${query}`, { headers }), hasAccessToken);

  it('is told where one stands that is not read, and not what it is', () => {
    expect(tell({})).toBe(missing);
    expect(tell({ authorization: `Bearer ${WHOLE}` })).toBe(
      `${missing} The authorization header is not read as a key.`,
    );
    expect(tell({ 'Postman-Api-Key': WHOLE })).toBe(`${missing} The postman-api-key header is not read as a key.`);
    expect(tell({ authorization: 'Bearer t0ken' }, '', true)).toBe(missing);
    expect(tell({}, `?access_key=PMAT-${TAIL}`)).toBe(
      `${missing} A key in the URL is not read, and should be replaced, because URLs end up in logs.`,
    );
    expect(tell({}, '?query=apikey')).toBe(missing);
  });
});
