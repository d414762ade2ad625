import { createRequire } from 'node:module';
import { array, assert, constantFrom, oneof, property, record, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createVariableResolver,
  createVariableScope,
  hasReferences,
  MAX_VALUE_LENGTH,
} from '../../../src/upstream/collection-format/fields/resolve-variables.ts';
import { toRuns } from '../../support/property-runs.ts';

/** Of Postman's own SDK, which does not declare its types. */
const { VariableList } = createRequire(import.meta.url)('postman-collection') as {
  readonly VariableList: new (parent: null, variables: readonly object[]) => { replace(text: string): string };
};

const runs = toRuns(500);

const resolve = (text: string, ...scopes: readonly unknown[]) =>
  createVariableResolver(scopes.map((scope) => createVariableScope(scope, false)))(text);
const textOf = (text: string, ...scopes: readonly unknown[]) => resolve(text, ...scopes).text;

describe('a reference', () => {
  it.each([
    [
      'is replaced by the value',
      '{{base}}/v1/{{id}}',
      { base: 'https://a.example', id: 'x' },
      'https://a.example/v1/x',
    ],
    ['is replaced everywhere', '{{a}}{{a}}', { a: 'x' }, 'xx'],
    [
      'in a value is replaced',
      '{{url}}/x',
      { url: 'https://{{host}}', host: '{{name}}.example', name: 'a' },
      'https://a.example/x',
    ],
    ['can have a name that a value completes', '{{host{{n}}}}', { n: 2, host2: 'b.example' }, 'b.example'],
    ['is case-sensitive', '{{A}}', { a: 'x' }, '{{A}}'],
    ['is not trimmed', '{{ a }}', { a: 'x' }, '{{ a }}'],
    ['to an unknown or dynamic variable stays', '{{a}}/{{$guid}}', { b: 'x' }, '{{a}}/{{$guid}}'],
    [
      'to a number, boolean or object becomes text',
      '{{n}} {{b}} {{o}}',
      { n: 8080, b: false, o: { x: [1] } },
      '8080 false {"x":[1]}',
    ],
    ['to empty text vanishes', 'a{{x}}b', { x: '' }, 'ab'],
    ['to a variable without a value stays', '{{x}}', [{ key: 'x' }], '{{x}}'],
    ['to a variable that refers to itself stays', '{{a}}-{{b}}', { a: 'x{{a}}', b: 'y' }, '{{a}}-y'],
    ['into a circle stays', '{{c}}', { a: 'x{{b}}', b: 'y{{a}}', c: 'z{{a}}' }, 'z{{a}}'],
    ['keeps braces that are no reference', '{{{a}}} {{b} {{', { a: 'x', b: 'y' }, '{x} {{b} {{'],
  ])('%s', (_what, text, variables, expected) => {
    expect(textOf(text, variables)).toBe(expected);
  });

  it('takes the first scope that has an enabled variable, and the last one in it', () => {
    const environment = [
      { key: 'a', value: 'off', enabled: false },
      { key: 'b', value: 'first' },
      { key: 'b', value: 'last' },
      { key: 'b', value: 'off', enabled: false },
    ];
    const collection = [
      { key: 'a', value: 'collection' },
      { key: 'b', value: 'collection' },
      { key: 'c', value: '{{b}}', disabled: true },
    ];
    expect(resolve('{{a}} {{b}} {{c}} {{d}}', environment, collection, [{ id: 'd', value: '{{a}}' }])).toEqual({
      text: 'collection last {{c}} collection',
      unresolved: ['c'],
      masked: [],
    });
  });

  it('to a masked value is replaced by the mask', () => {
    const variables = [
      { key: 'token', value: 'hunter2-token', type: 'secret' },
      { key: 'apiPassword', value: 'hunter2-password' },
      { key: 'base', value: 'https://me:hunter2-user@a.example' },
      { key: 'empty', value: '', type: 'secret' },
      { key: 'vault', type: 'secret', secret: true },
      { key: 'both', value: '{{base}}?{{token}}' },
    ];
    expect(resolve('{{both}}&{{apiPassword}}{{empty}}{{vault}}', variables)).toEqual({
      text: 'https://me:******@a.example?******&******{{vault}}',
      unresolved: ['vault'],
      masked: ['base', 'token', 'apiPassword'],
    });
    const revealed = createVariableResolver([createVariableScope(variables, true)]);
    expect(revealed('{{base}}/{{token}}')).toEqual({
      text: 'https://me:hunter2-user@a.example/hunter2-token',
      unresolved: [],
      masked: [],
    });
  });

  it('through many variables is followed', () => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, level) => [`v${level}`, level + 1 < length ? `{{v${level + 1}}}` : 'end']),
      );
    expect(textOf('{{v0}}', chain(19))).toBe('end');
    expect(textOf('{{v0}}', chain(100_000))).toMatch(/^\{\{v\d+\}\}$/);
  });

  it('to values that double at each level stays once the result is long', () => {
    const doubled = (end: string) =>
      Object.fromEntries(
        Array.from({ length: 30 }, (_, level) => [`v${level}`, `{{v${level + 1}}}{{v${level + 1}}}`]).concat([
          ['v15', end],
        ]),
      );
    expect(textOf('{{v0}}', doubled('x')).length).toBeLessThan(MAX_VALUE_LENGTH);
    expect(textOf('{{v0}}', doubled('')).length).toBeLessThan(MAX_VALUE_LENGTH);
    expect(textOf('{{big}}', { big: 'x'.repeat(MAX_VALUE_LENGTH + 100) })).toBe('{{big}}');
  });
});

describe('any text with any variables', () => {
  const piece = constantFrom(
    '{{a}}',
    '{{b}}',
    '{{c}}',
    '{{',
    '}}',
    '{',
    '}',
    'a',
    'b',
    '/',
    '{{$guid}}',
    'https://',
    '******',
  );
  const text = array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const value = oneof(text, constantFrom(1, null, true, ['{{a}}'], { x: '{{b}}' }));
  const variables = array(
    record({ key: constantFrom('a', 'b', 'c', 'd'), value, disabled: constantFrom(true, false, false) }),
    { maxLength: 6 },
  );

  it('is at most so much longer, and does not change when nothing is left to resolve', () => {
    assert(
      property(text, variables, variables, (source, inner, outer) => {
        const { text: resolved, unresolved } = resolve(source, inner, outer);
        expect(resolved.length).toBeLessThanOrEqual(source.length + MAX_VALUE_LENGTH);
        expect(hasReferences(resolved)).toBe(unresolved.length > 0);
        expect(unresolved.length > 0 ? resolved : textOf(resolved, inner, outer)).toBe(resolved);
      }),
      runs,
    );
  });

  it('is resolved as in Postman’s own SDK, unless a reference stays', () => {
    assert(
      property(text, variables, (source, list) => {
        const { text: resolved, unresolved } = resolve(source, list);
        const usable = list.filter((one) => one.value !== null && typeof one.value !== 'object');
        if (unresolved.length > 0 || usable.length < list.length) return;
        expect(new VariableList(null, usable).replace(source)).toBe(resolved);
      }),
      runs,
    );
  });

  it('never shows a masked value', () => {
    const secrets = tuple(string({ minLength: 6, unit: 'grapheme-ascii' }), text).map(([canary, rest]) => [
      { key: 'a', value: `s3cr3t${canary}{{b}}`, type: 'secret' },
      { key: 'password', value: `s3cr3t${rest}` },
      { key: 'b', value: `https://u:s3cr3t-{{c}}@h/${rest}` },
      { key: 'c', value: '{{password}}{{a}}' },
    ]);
    assert(
      property(text, secrets, variables, (source, list, more) => {
        expect(resolve(`${source}{{a}}{{b}}{{c}}{{password}}`, list, more).text).not.toContain('s3cr3t');
        expect(resolve(source, more, list).text).not.toContain('s3cr3t');
      }),
      runs,
    );
  });
});
