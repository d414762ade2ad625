import { describe, expect, it } from 'vitest';
import { isSameObject, toIdOfUid, toOwnerOfUid } from '../../../src/upstream/postman/uid.ts';

const uuid = 'ec29121c-5203-409f-9e84-e83ffc10f226';
const hex = '64f1c0a2b7e93d5a1c0e4f22';

describe('a uid is cut at its first hyphen', () => {
  it.each([
    [`41829063-${uuid}`, '41829063', uuid],
    [`41829063-${hex}`, '41829063', hex],
    [`1-${uuid}`, '1', uuid],
    [`${'7'.repeat(23)}-${uuid}`, '7'.repeat(23), uuid],
    [`aB9-${uuid.toUpperCase()}`, 'aB9', uuid.toUpperCase()],
    // As long as a UUID, but not a UUID.
    ['12345678901-64f1c0a2b7e93d5a1c0e4f22', '12345678901', hex],
    ['1-c', '1', 'c'],
  ])('%s', (uid, owner, id) => {
    expect([toOwnerOfUid(uid), toIdOfUid(uid)]).toEqual([owner, id]);
  });

  it.each([
    [uuid],
    [uuid.toUpperCase()],
    [hex],
    ['12'],
    [''],
    ['-'],
    ['7-'],
    [`-${uuid}`],
    [`${'7'.repeat(24)}-${uuid}`],
    [`a_b-${hex}`],
  ])('but %j is bare', (id) => {
    expect([toOwnerOfUid(id), toIdOfUid(id)]).toEqual([null, id]);
  });
});

describe('a response describes the requested object', () => {
  it.each([
    [`1-${uuid}`, `1-${uuid}`, true],
    [`1-${uuid}`, uuid, true],
    [uuid, `1-${uuid}`, true],
    [`1-${uuid.toUpperCase()}`, `1-${uuid}`, true],
    [`1-${hex}`, hex, true],
    [`1-${uuid}`, `2-${uuid}`, false],
    [`1-${uuid}`, `1-${hex}`, false],
    [uuid, hex, false],
    ['', uuid, false],
  ])('%s for %s: %s', (actual, requested, isSame) => {
    expect(isSameObject(actual, requested)).toBe(isSame);
  });
});
