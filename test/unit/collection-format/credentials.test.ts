import { describe, expect, it } from 'vitest';
import { toAuth, toShownParameter } from '../../../src/upstream/collection-format/fields/auth.ts';
import { toHeaders } from '../../../src/upstream/collection-format/fields/headers.ts';
import { isJsonObject } from '../../../src/upstream/collection-format/syntax/json.ts';
import { maskItems } from '../../../src/upstream/collection-format/masking/mask-secrets.ts';
import { toShownVariable, toVariables } from '../../../src/upstream/collection-format/fields/variables.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';
import { AUTH_SETTINGS, CREDENTIAL_HEADERS } from '../../support/any-collection.ts';

const CANARY = 'canary-7f3a';

/** Pairs of a setting and its shown value. */
function shownOf(auth: unknown) {
  return (toAuth(auth)?.parameters ?? []).map((parameter) => [parameter.key, toShownParameter(parameter, false)]);
}

describe.each(Object.entries(AUTH_SETTINGS))('auth of type %s', (type, { credentials, others }) => {
  const keys = [...credentials, ...others];
  const settings = (value: unknown) => ({
    list: { type, [type]: keys.map((key) => ({ key, value, type: 'string' })) },
    map: { type, [type]: Object.fromEntries(keys.map((key) => [key, value])) },
  });
  const withheld = { value: null, isMasked: true };

  it.each([
    ['a text', CANARY, withheld],
    ['behind a scheme', `Bearer ${CANARY}`, withheld],
    ['a text around a reference', `{{a}}-${CANARY}`, withheld],
    ['a list', [CANARY], withheld],
    ['an object', { inner: CANARY }, withheld],
    ['a number', 918_273_645, withheld],
    ['a reference', '{{a}}', { value: '{{a}}', isMasked: false }],
    ['a reference into the vault', '{{vault:a}}', { value: '{{vault:a}}', isMasked: false }],
    ['a reference behind a scheme', 'Bearer {{a}}', { value: 'Bearer {{a}}', isMasked: false }],
    ['empty', '', { value: '', isMasked: false }],
    ['null', null, { value: null, isMasked: false }],
  ])('withholds its credentials and nothing else: %s', (_what, value, shown) => {
    // Names count inside an object, too.
    const open = isJsonObject(value) ? { value: { inner: null }, isMasked: true } : { value, isMasked: false };
    const expected = keys.map((key) => [key, credentials.includes(key) ? shown : open]);
    const { list, map } = settings(value);
    expect([shownOf(list), shownOf(map)]).toEqual([expected, expected]);
  });

  it.each([[CANARY], [[CANARY]], [{ inner: CANARY }], [918_273_645], ['{{a}}'], ['']])(
    'withholds the same in the JSON: %j',
    (value) => {
      const { list, map } = settings(value);
      for (const auth of [list, map]) {
        const masked = runAtOnce(maskItems({ item: [{ request: { auth } }] })) as {
          item: [{ request: { auth: unknown } }];
        };
        const expected = toAuth(auth)?.parameters.map((parameter) => [
          parameter.key,
          toShownParameter(parameter, false).value,
        ]);
        expect(toAuth(masked.item[0].request.auth)?.parameters.map((one) => [one.key, one.value])).toEqual(expected);
      }
    },
  );
});

describe.each(CREDENTIAL_HEADERS)('the header %s', (key) => {
  const forms = (value: string) => ({
    'a list of rows': [{ key, value }],
    'rows that have a name': [{ name: key, value }],
    'a row by itself': { key, value },
    'a map': { [key]: value },
    'a block': `Accept: */*\r\n${key}: ${value}\r\n`,
    'a block with old line ends': `Accept: */*\r${key}: ${value}\r`,
    'a block that switches it off': `//${key}: ${value}`,
    'a block that folds it': `${key}:\r\n ${value}\r\nAccept: */*`,
    lines: ['Accept: */*', `${key}: ${value}`],
    'a list as value': [{ key, value: [value, value] }],
  });

  it.each(Object.entries(forms(CANARY)))('is withheld from %s', (_form, json) => {
    const shown = toHeaders(json).map(({ value }) => value);
    expect(shown).toContain('******');
    expect(JSON.stringify([shown, toHeaders(json).map((header) => header.key)])).not.toContain(CANARY);
    expect(JSON.stringify(runAtOnce(maskItems({ header: json, response: [{ header: json }] })))).not.toContain(CANARY);
  });

  const references = Object.entries(forms('Bearer {{a}}')).filter(([form]) => form !== 'a list as value');

  it.each(references)('stays readable as a reference in %s', (_form, json) => {
    expect(JSON.stringify(toHeaders(json).map(({ value }) => value))).toContain('Bearer {{a}}');
    expect(runAtOnce(maskItems({ header: json }))).toEqual({ header: json });
  });
});

describe('headers about credentials that hold none', () => {
  it.each([
    ['Access-Control-Allow-Credentials', 'true'],
    ['WWW-Authenticate', 'Basic realm="a"'],
    ['X-Token-Type', 'bearer'],
    ['Access-Control-Allow-Headers', 'Authorization'],
    ['Content-Type', 'application/jose+json'],
    ['X-Request-Id', '7'],
  ])('stay readable: %s', (key, value) => {
    expect(toHeaders([{ key, value }]).map(({ value }) => value)).toEqual([value]);
    expect(runAtOnce(maskItems({ header: [{ key, value }] }))).toEqual({ header: [{ key, value }] });
  });
});

describe('credentials elsewhere in the JSON', () => {
  it.each([
    ['a cookie jar', { cookie: [{ name: 'sid', value: CANARY }] }, { cookie: [{ name: 'sid', value: '******' }] }],
    ['cookies as text', { cookie: [`sid=${CANARY}`, '{{cookie}}'] }, { cookie: ['******', '{{cookie}}'] }],
    [
      'a proxy',
      { proxy: { host: 'p', username: 'ann', password: CANARY } },
      { proxy: { host: 'p', username: 'ann', password: null } },
    ],
    [
      'a certificate',
      { certificate: { key: { src: '/k' }, passphrase: CANARY } },
      { certificate: { key: { src: '/k' }, passphrase: null } },
    ],
    [
      'a URL',
      { url: { auth: { user: 'ann', password: [CANARY] } } },
      { url: { auth: { user: 'ann', password: null } } },
    ],
    [
      'a URL as rows',
      { url: { auth: [{ key: 'password', value: CANARY }] } },
      { url: { auth: [{ key: 'password', value: null }] } },
    ],
    [
      'an auth block of one text',
      { auth: { type: 'bearer', bearer: CANARY } },
      { auth: { type: 'bearer', bearer: null } },
    ],
    ['an auth block without a type', { auth: { token: CANARY } }, { auth: { token: null } }],
    [
      'an auth block of another type',
      { auth: { type: 'noauth', basic: { username: 'ann', password: CANARY } } },
      { auth: { type: 'noauth', basic: { username: 'ann', password: null } } },
    ],
    [
      'a variable by itself',
      { variable: { key: 'a', type: 'secret', value: CANARY } },
      { variable: { key: 'a', type: 'secret', value: null } },
    ],
    [
      'values',
      { values: [{ key: 'a', type: 'secret', value: CANARY }] },
      { values: [{ key: 'a', type: 'secret', value: null }] },
    ],
  ])('of %s are withheld', (_where, json, masked) => {
    expect(runAtOnce(maskItems(json))).toEqual(masked);
  });
});

describe('variables', () => {
  it.each([
    ['of type secret', { key: 'a', type: 'secret', value: CANARY }],
    ['of type password', { key: 'a', type: 'password', value: CANARY }],
    ['with the name of a credential', { key: 'password', type: 'default', value: CANARY }],
    ['of that type in capitals', { key: 'a', type: 'SECRET', value: CANARY }],
    ['declared secret', { key: 'a', type: 'default', secret: true, value: CANARY }],
    ['that are switched off', { key: 'a', type: 'secret', value: CANARY, enabled: false }],
    ['that hold an object', { key: 'a', type: 'secret', value: { inner: CANARY } }],
  ])('%s are withheld, in a list and alone', (_what, row) => {
    for (const json of [[row], row]) {
      expect(toVariables(json).map((variable) => [variable.key, toShownVariable(variable, false).isMasked])).toEqual([
        [row.key, true],
      ]);
      expect(JSON.stringify(runAtOnce(maskItems({ variable: json, variables: json, values: json })))).not.toContain(
        CANARY,
      );
    }
  });

  it.each([
    ['of another type', { key: 'city', type: 'default', value: 'a' }],
    ['that name a page to sign in', { key: 'authentication', value: 'https://a.example/login' }],
    ['whose secret is a reference', { key: 'a', type: 'secret', value: '{{b}}' }],
    ['whose secret is in a vault', { key: 'a', type: 'default', secret: true, source: { provider: 'postman' } }],
  ])('%s are not', (_what, row) => {
    for (const json of [[row], row]) {
      expect(toVariables(json).some((variable) => toShownVariable(variable, false).isMasked)).toBe(false);
      expect(runAtOnce(maskItems({ variable: json }))).toEqual({ variable: json });
    }
  });
});
