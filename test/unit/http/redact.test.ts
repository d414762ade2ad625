import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/upstream/http/redact.ts';

const KEY = 'PMAK-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01';

describe('redact', () => {
  it.each([
    ['leaves plain text alone', 'The specified monitor does not exist.', 'The specified monitor does not exist.'],
    ['removes API keys of the known forms', `bad ${KEY}, and PMAT-01ABC too`, 'bad [redacted], and [redacted] too'],
    ['removes a key whatever its case', `bad ${KEY.toLowerCase()}.`, 'bad [redacted].'],
    [
      'removes a key with a control character inside',
      `bad ${KEY.slice(0, 20)}\u0000${KEY.slice(20)}.`,
      'bad [redacted].',
    ],
    ['removes a key with a zero-width space inside', `bad ${KEY.slice(0, 3)}\u200b${KEY.slice(3)}.`, 'bad [redacted].'],
    ['removes control characters and line breaks', 'a\u001b[31mb\r\nc\u0085d\u2028e\u007f', 'a[31mbcde'],
    ['removes halves of surrogate pairs', 'a\ud83dZ\ude00b\u{1f600}', 'aZb\u{1f600}'],
    ['returns empty text unchanged', '', ''],
  ])('%s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('removes every occurrence of the given secret, also one with special characters', () => {
    expect(redact('key a.b*c is not a.b*c, axbbc stays', 'a.b*c')).toBe(
      'key [redacted] is not [redacted], axbbc stays',
    );
  });

  it('ignores an empty secret', () => {
    expect(redact('abc', '')).toBe('abc');
  });

  it('cuts to 300 characters', () => {
    expect(redact('x'.repeat(10_000_000))).toBe('x'.repeat(300));
  });

  it('does not leave half a character at the cut', () => {
    expect(redact(`${'x'.repeat(299)}\u{1f600}`)).toBe('x'.repeat(299));
  });

  it('does not leave part of a key that crosses the cut', () => {
    expect(redact(`${'x'.repeat(280)} ${KEY}`)).toBe(`${'x'.repeat(280)} [redacted]`);
    expect(redact(`${'x'.repeat(280)} 0123456789abcdef0123456789abcdef`, '0123456789abcdef0123456789abcdef')).toBe(
      `${'x'.repeat(280)} [redacted]`,
    );
  });

  it('does not leave part of a secret that the text ends in', () => {
    expect(redact('no: topsecr', 'topsecret')).toBe('no:');
    expect(redact('no: top', 'topsecret')).toBe('no: top');
  });

  it('does not leave part of a secret where it stopped reading', () => {
    const secret = 'topsecrettopsecret';
    for (let start = 4070; start <= 4096; start++) {
      expect(redact(`${'\u0001'.repeat(start)}${secret} and more`, secret)).not.toContain('tops');
    }
  });
});
