import { describe, expect, it } from 'vitest';
import { parsePreferences, parsePreferWait } from '../../../src/server/http/prefer.ts';

describe('parsePreferWait', () => {
  it.each([
    ['wait=10', 10],
    ['wait=0', 0],
    ['Wait=10', 10],
    ['wait="10"', 10],
    [' wait = 10 ', 10],
    ['respond-async, wait=10', 10],
    ['wait=10, respond-async', 10],
    ['return=minimal; foo="some value"; bar, wait=120', 120],
    ['wait=10; foo=bar', 10],
    ['wait=10;', 10],
    ['foo;wait=3, wait=10', 10],
    [',, ,wait=10', 10],
    ['foo="a, wait=1", wait=10', 10],
    [String.raw`foo="a\", wait=1", wait=10`, 10],
    ['wait=10, wait=20', 10],
  ])('reads the seconds of %j', (header, seconds) => {
    expect(parsePreferWait(header)).toBe(seconds);
  });

  it.each([
    null,
    '',
    ' , ',
    'respond-async',
    'wait',
    'wait=',
    'wait=""',
    'wait=abc',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait=10s',
    'wait="10',
    'wait=10 20',
    'wait:10',
    'waiting=10',
    'foo="unclosed, wait=10',
    'wait=abc, wait=10',
    'foo;wait=10',
  ])('finds no seconds in %j', (header) => {
    expect(parsePreferWait(header)).toBeUndefined();
  });

  it('reads a number too large for a date as 2^31 seconds', () => {
    expect(parsePreferWait(`wait=${'9'.repeat(400)}`)).toBe(2_147_483_648);
  });

  it('keeps no state between headers', () => {
    expect([parsePreferWait('foo, wait=1'), parsePreferWait('wait=2'), parsePreferWait('wait=3')]).toEqual([1, 2, 3]);
  });
});

describe('parsePreferences', () => {
  it.each([
    [null, undefined, false],
    ['wait=0', 1, false],
    ['wait=7, errors=by-cause', 7, true],
    ['Errors="By-Cause"', undefined, true],
    ['errors=by-cause; foo=bar, wait=3', 3, true],
    ['errors', undefined, false],
    ['errors=all, errors=by-cause', undefined, false],
    ['errors=by-causes', undefined, false],
    ['foo="errors=by-cause"', undefined, false],
    ['foo="unclosed, errors=by-cause', undefined, false],
  ])('reads %j', (header, waitSeconds, areErrorsGrouped) => {
    expect(parsePreferences(header)).toEqual({ waitSeconds, areErrorsGrouped });
  });
});
