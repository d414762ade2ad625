import { describe, expect, it } from 'vitest';
import { createLearnedSizes } from '../../../src/upstream/postman/list-sizes.ts';

const workspaces = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({
    id: `workspace ${from + index}`,
    visibility: 'team',
    createdBy: '1',
  }));

describe('learned sizes', () => {
  it('are those of the latest response for each list', () => {
    const sizes = createLearnedSizes();
    expect(sizes.of('a')).toBeUndefined();
    sizes.learn('a', { workspaces: workspaces(2), hasMoreWorkspaces: true }, 1);
    sizes.learn('a', { workspaceId: 'workspace 0', collections: 3, environments: 1 }, 2);
    sizes.learn('a', { workspaceId: 'workspace 0', environments: 5 }, 3);
    sizes.learn('a', { workspaceId: null, collections: 40, forks: { count: 1, total: 4 } }, 4);
    sizes.learn('a', { workspaceId: null, environments: 7 }, 5);
    expect(sizes.of('a')).toMatchObject({
      workspaces: workspaces(2),
      hasMoreWorkspaces: true,
      overall: { collections: 40, environments: 7 },
      byWorkspaceId: new Map([['workspace 0', { collections: 3, environments: 5 }]]),
      forkFraction: 0.25,
    });
    sizes.learn('a', { workspaces: workspaces(1) }, 6);
    expect(sizes.of('a')).toMatchObject({ workspaces: workspaces(1), hasMoreWorkspaces: false });
  });

  it('are separate for each API key', () => {
    const sizes = createLearnedSizes();
    sizes.learn('a', { workspaceId: null, collections: 1 }, 1);
    expect(sizes.of('b')).toBeUndefined();
  });

  it('are forgotten when the key is dropped, and not learned again from earlier calls', () => {
    const sizes = createLearnedSizes();
    sizes.learn('a', { workspaceId: null, collections: 1 }, 1);
    sizes.learn('b', { workspaceId: null, collections: 1 }, 1);
    sizes.dropKey('a', 10);
    sizes.learn('a', { workspaceId: null, collections: 2 }, 9);
    expect([sizes.of('a')?.overall, sizes.of('b')?.overall]).toEqual([{}, { collections: 1 }]);
    sizes.learn('a', { workspaceId: null, collections: 3 }, 11);
    expect(sizes.of('a')?.overall).toEqual({ collections: 3 });
  });

  it('take no memory for a key that is dropped before anything was learned', () => {
    const sizes = createLearnedSizes();
    sizes.dropKey('made up', 1);
    expect(sizes.of('made up')).toBeUndefined();
  });

  it('are limited per API key: the workspaces whose lists were read least recently are forgotten', () => {
    const sizes = createLearnedSizes();
    for (let index = 0; index < 250; index++) {
      sizes.learn('a', { workspaceId: `workspace ${index}`, collections: index }, index);
      sizes.learn('a', { workspaceId: 'workspace 0', collections: 0 }, index);
    }
    const known = sizes.of('a')?.byWorkspaceId;
    expect([known?.size, known?.has('workspace 0'), known?.has('workspace 1'), known?.has('workspace 249')]).toEqual([
      200,
      true,
      false,
      true,
    ]);
    const long = 'x'.repeat(65);
    sizes.learn('a', { workspaceId: long, collections: 1 }, 300);
    sizes.learn('a', { workspaces: [{ id: long, visibility: null, createdBy: null }, ...workspaces(1)] }, 300);
    expect(sizes.of('a')?.byWorkspaceId.has(long)).toBe(false);
    expect(sizes.of('a')?.workspaces).toEqual(workspaces(1));
  });

  it('are limited over all API keys: those used least recently are forgotten', () => {
    const sizes = createLearnedSizes();
    const learn = (keyHash: string) => {
      for (let index = 0; index < 199; index++) sizes.learn(keyHash, { workspaceId: `${index}`, collections: 1 }, 1);
    };
    learn('first');
    learn('second');
    for (let index = 0; index < 98; index++) learn(`other ${index}`);
    expect(sizes.of('first')?.byWorkspaceId.size).toBe(199);
    learn('one more');
    expect([sizes.of('second'), sizes.of('first')?.byWorkspaceId.size]).toEqual([undefined, 199]);
  });

  it('weight recent collections more in the fraction of forks', () => {
    const sizes = createLearnedSizes();
    for (let time = 0; time < 40; time++) sizes.learn('a', { workspaceId: null, forks: { count: 0, total: 99 } }, 1);
    for (let time = 0; time < 30; time++) sizes.learn('a', { workspaceId: null, forks: { count: 99, total: 99 } }, 1);
    expect(sizes.of('a')?.forkFraction).toBeGreaterThan(0.9);
  });
});
