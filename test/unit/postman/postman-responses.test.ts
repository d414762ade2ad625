import { describe, expect, it } from 'vitest';
import { UnexpectedShapeError } from '../../../src/upstream/postman/resources/body.ts';
import { collectionCall, collectionsCall } from '../../../src/upstream/postman/resources/collections.ts';
import { environmentCall, environmentsCall } from '../../../src/upstream/postman/resources/environments.ts';
import { meCall } from '../../../src/upstream/postman/resources/me.ts';
import { mockCall, mocksCall } from '../../../src/upstream/postman/resources/mocks.ts';
import { globalsCall, workspaceCall, workspacesCall } from '../../../src/upstream/postman/resources/workspaces.ts';

const { parse: parseUser } = meCall();
const { parse: parseWorkspacePage } = workspacesCall({}, null);
const { parse: parseWorkspaceDetail } = workspaceCall('w');
const { parse: parseCollectionPage } = collectionsCall(null, 0);
const { parse: parseMocks } = mocksCall(null);
const { parse: parseEnvironments } = environmentsCall(null);
const UUID = 'ec29121c-5203-409f-9e84-e83ffc10f226';
const UID = `41829063-${UUID}`;
const { parse: parseMock } = mockCall(UID);
// As JSON has them: own keys, whatever they are called.
const poisoned = JSON.parse(
  '{"__proto__":{"id":"p","uid":"p","owner":1,"name":"p"},"constructor":1,"toString":"x"}',
) as object;
const wrong = [
  null,
  true,
  7,
  Number.POSITIVE_INFINITY,
  '',
  'x'.repeat(1_000_000),
  [],
  ['a'],
  {},
  { id: {} },
  poisoned,
] as const;
const parsers: readonly (readonly [string, (body: unknown) => unknown])[] = [
  ['me', parseUser],
  ['workspaces', parseWorkspacePage],
  ['workspace', parseWorkspaceDetail],
  ['globals', globalsCall('w').parse],
  ['collections', parseCollectionPage],
  ['collection', collectionCall(UID).parse],
  ['environments', parseEnvironments],
  ['environment', environmentCall(UID).parse],
  ['mocks', parseMocks],
  ['mock', parseMock],
];
const wholes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  me: {
    user: { id: 1, username: 'u', fullName: 'f', email: 'e', avatar: 'a', teamId: 2, teamName: 't', roles: ['r'] },
  },
  workspaces: { workspaces: [{ id: 'w', name: 'n' }], meta: { nextCursor: 'c' } },
  workspace: {
    workspace: {
      id: 'w',
      name: 'n',
      description: 'd',
      updatedBy: 1,
      team: 2,
      createdAt: '2026-01-01T00:00:00Z',
      collections: [{ id: UUID, uid: UID, name: 'c' }],
      environments: [],
    },
  },
  globals: { values: [] },
  collections: {
    collections: [{ id: UUID, uid: UID, name: 'c', isPublic: true, fork: { label: 'l', from: UID, createdAt: 'x' } }],
    meta: { total: 1 },
  },
  collection: {
    collection: { info: { uid: UID, _postman_id: UUID, name: 'c', description: 'd', fork: { label: 'l' } }, item: [] },
  },
  environments: { environments: [{ id: UUID, uid: UID, owner: 1, name: 'e', isPublic: true }] },
  environment: { environment: { id: UUID, owner: 41829063, name: 'e', isPublic: false, values: [] } },
  mocks: {
    mocks: [{ id: UUID, uid: UID, name: 'm', collection: UID, environment: UID, mockUrl: 'u', isPublic: true }],
  },
  mock: {
    mock: {
      id: UUID,
      uid: UID,
      name: 'm',
      deactivated: true,
      config: { headers: ['h'], matchBody: true, delay: { type: 'fixed', preset: '1', duration: 5 } },
    },
  },
};

/** Yields copies of a body with a wrong value at, or without, each of its positions. */
function* spoiled(value: unknown): Iterable<unknown> {
  yield* wrong;
  if (Array.isArray(value)) {
    yield [...value, ...value];
    yield [...wrong, ...value];
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const { [key]: _, ...rest } = value as Record<string, unknown>;
    if (!Array.isArray(value)) yield rest;
    for (const one of spoiled(part))
      yield Array.isArray(value) ? value.with(Number(key), one) : { ...value, [key]: one };
  }
}

const isText = (value: unknown) => value == null || typeof value === 'string';

// These stay as Postman sent them, or have tests of their own.
const unread = ['document', 'values', 'description', 'items', 'total', 'fork', 'matching', 'delayMs'];

/** Whether a member of a model has one of the allowed types. */
function isPlain(value: unknown): boolean {
  if (Array.isArray(value))
    return value.every((item) =>
      typeof item === 'object' && item !== null ? Object.values(item as object).every(isText) : isText(item),
    );
  return isText(value) || typeof value === 'boolean';
}

/** What is wrong with the parsed body; undefined: nothing, or it was refused with an UnexpectedShapeError. */
function findWrong(name: string, parse: (body: unknown) => unknown, body: unknown): unknown {
  let model: unknown;
  try {
    model = parse(body);
  } catch (error) {
    return error instanceof UnexpectedShapeError ? undefined : error;
  }
  const things = name === 'globals' ? [] : Array.isArray(model) ? model : [model];
  return things
    .flatMap((thing) => Object.entries(thing as object))
    .find(([key, value]) => !unread.includes(key) && !isPlain(value));
}

describe.each(parsers)('%s', (name, parse) => {
  it('is parsed, or refused with an UnexpectedShapeError, for a wrong value at any position', () => {
    parse(wholes[name]);
    const wrongs = Array.from(spoiled(wholes[name]), (body) => findWrong(name, parse, body));
    expect(wrongs.filter((one) => one !== undefined)).toEqual([]);
    expect(({} as Record<string, unknown>)['uid']).toBeUndefined();
  });
});

describe('me', () => {
  const teamOf = (teamId: unknown) => parseUser({ user: { id: 1, teamId } }).teamId;
  it.each([0, '0', null, undefined, '', false, [], {}])('has no team if the id is %j', (teamId) => {
    expect(teamOf(teamId)).toBeNull();
  });
  it.each([
    [90417, '90417'],
    ['90417', '90417'],
  ])('has team %j', (teamId, team) => {
    expect(teamOf(teamId)).toBe(team);
  });
  it('has only roles that are text', () => {
    expect(parseUser({ user: { id: 1, roles: ['a', 1, null, ['b'], 'c'] } }).roles).toEqual(['a', 'c']);
    expect(parseUser({ user: { id: 1, roles: 'admin' } }).roles).toBeNull();
  });
  it('is refused without an id', () => {
    expect(() => parseUser({ user: { username: 'u' } })).toThrow(UnexpectedShapeError);
  });
});

describe('the total of a list', () => {
  const totalOf = (total: unknown) => parseCollectionPage({ collections: [], meta: { total } }).total;
  it.each([0, 1, 2 ** 53 - 1])('is %j', (total) => {
    expect(totalOf(total)).toBe(total);
  });
  it.each([-1, 1.5, 2 ** 53, Infinity, NaN, '3', null, undefined, [3], {}])('is unknown for %j', (total) => {
    expect(totalOf(total)).toBeNull();
  });
  it.each([null, undefined, 3, 'meta', []])('is unknown if meta is %j', (meta) => {
    expect(parseCollectionPage({ collections: [], meta }).total).toBeNull();
  });
});

describe('items of lists', () => {
  it('include duplicates, in the order they were sent', () => {
    const row = { id: UUID, uid: UID, name: 'a' };
    const names = parseCollectionPage({ collections: [row, { ...row, name: 'b' }, row] }).items.map((one) => one.name);
    expect(names).toEqual(['a', 'b', 'a']);
  });
  it('are left out if they are not objects', () => {
    expect(parseCollectionPage({ collections: [null, 1, 'x', [], { uid: UID }] }).items.map(({ uid }) => uid)).toEqual([
      UID,
    ]);
    expect(parseEnvironments({ environments: [null, { uid: UID }] }).map(({ uid }) => uid)).toEqual([UID]);
    expect(parseWorkspacePage({ workspaces: [{}, { id: 7 }, { id: 'w' }] }).items.map(({ id }) => id)).toEqual(['w']);
  });
  it.each([[{ id: UUID }], [{ id: UUID, owner: null }], [{ owner: 1 }], [{ uid: '', id: UUID }], [poisoned]])(
    'make the list unusable if their uid is unknown: %j',
    (item) => {
      expect(() => parseCollectionPage({ collections: [item] })).toThrow(UnexpectedShapeError);
      expect(() => parseEnvironments({ environments: [item] })).toThrow(UnexpectedShapeError);
    },
  );
  it.each([1, '1'])('get a uid from their owner %j and id', (owner) => {
    expect(parseEnvironments({ environments: [{ id: UUID, owner }] })[0]).toMatchObject({ uid: `1-${UUID}` });
  });
});

describe('times', () => {
  const timeOf = (createdAt: unknown) => parseWorkspaceDetail({ id: 'w', createdAt }).createdAt;
  const moments = [
    ['2022-07-18T06:57:37.000Z', '2022-07-18T06:57:37.000Z'],
    ['2025-04-07T13:59:02Z', '2025-04-07T13:59:02.000Z'],
    ['2019-02-12 19:34:49', '2019-02-12T19:34:49.000Z'],
    ['2019-02-12T19:34:49', '2019-02-12T19:34:49.000Z'],
    ['2019-02-12T19:34:49.5', '2019-02-12T19:34:49.500Z'],
    ['2019-02-12T19:34', '2019-02-12T19:34:00.000Z'],
    ['2019-02-12', '2019-02-12T00:00:00.000Z'],
    ['2019-02-12T19:34:49+02:00', '2019-02-12T17:34:49.000Z'],
    ['2019-02-12 19:34:49 -0330', '2019-02-12T23:04:49.000Z'],
    ['2019-02-12t19:34:49z', '2019-02-12T19:34:49.000Z'],
  ] as const;
  it.each(moments)('%s', (sent, read) => {
    expect(timeOf(sent)).toBe(read);
  });

  it('without a zone are UTC, whatever the time zone of the process', () => {
    const { TZ } = process.env;
    process.env['TZ'] = 'Pacific/Apia';
    try {
      expect(new Date(0).getTimezoneOffset()).not.toBe(0);
      expect(moments.map(([sent]) => timeOf(sent))).toEqual(moments.map(([, read]) => read));
    } finally {
      if (TZ === undefined) delete process.env['TZ'];
      else process.env['TZ'] = TZ;
    }
  });

  it.each([
    '',
    ' ',
    'soon',
    '7',
    '2019',
    'Tue, 12 Feb 2019 19:34:49',
    'Feb 12 2019',
    '2019-13-01',
    '2019-02-12T25:00:00',
    '2019-02-12T19:34:49 CET',
    `2019-02-12T19:34:49.${'0'.repeat(100)}Z`,
    1550000000000,
    null,
    undefined,
    [],
    {},
  ])('are not said by %j', (sent) => {
    expect(timeOf(sent)).toBeNull();
  });
});

describe('a page of workspaces', () => {
  it.each([undefined, null, '', 5, {}])('is the last one if nextCursor is %j', (nextCursor) => {
    expect(parseWorkspacePage({ workspaces: [], meta: { nextCursor } })).toEqual({ items: [], nextCursor: null });
  });
});

describe('mock servers', () => {
  const mock = (more: object) => parseMock({ mock: { id: UUID, uid: UID, ...more } });

  it.each([
    [{ type: 'fixed', preset: '1', duration: 250 }, 250],
    [{ type: 'fixed', duration: 12.6 }, 13],
    [{ type: 'fixed', preset: '1' }, 300],
    [{ type: 'fixed', preset: '2' }, 100],
    [{ type: 'fixed', preset: '9' }, null],
    [{ duration: -1 }, null],
    [{ duration: 2 ** 31 }, null],
    [{ duration: '300' }, null],
    [null, null],
    ['300', null],
  ])('with a delay of %j delay responses by %j ms', (delay, delayMs) => {
    expect(mock({ config: { delay } }).delayMs).toBe(delayMs);
  });

  it.each([undefined, null, 'x', []])('have no matching rules if their config is %j', (config) => {
    expect(mock({ config }).matching).toBeNull();
  });

  it('match only by what their config says', () => {
    expect(mock({ config: { headers: ['a', 1, null], matchBody: 'yes' } }).matching).toEqual({
      body: false,
      headers: ['a'],
      queryParams: false,
      wildcards: false,
    });
  });

  it.each([undefined, null, '', 7])('have no collection and no environment if these are %j', (uid) => {
    const { collectionUid, environmentUid } = mock({ collection: uid, environment: uid });
    expect({ collectionUid, environmentUid }).toEqual({ collectionUid: null, environmentUid: null });
  });

  it('are active unless marked as deactivated, and the refs of a workspace always are', () => {
    expect([mock({}), mock({ deactivated: false }), mock({ deactivated: true })].map((one) => one.isActive)).toEqual([
      true,
      true,
      false,
    ]);
    const mocks = [
      { id: UUID, uid: UID, name: 'a', deactivated: false },
      { id: UUID, uid: UID, name: 'b', deactivated: true },
      { id: UUID, uid: UID, name: 'c' },
    ];
    expect(parseWorkspaceDetail({ id: 'w', mocks }).mocks).toEqual(
      ['a', 'c'].map((name) => ({ uid: UID, name, isActive: true })),
    );
  });
});
