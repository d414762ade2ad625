import { afterEach, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

it('reads all names with one GET for the list and one for each workspace', async () => {
  facade = await startFacade();
  const answer = await facade.query(
    '{ workspaces { nodes { id name collections { nodes { name } } environments { nodes { name } } } } }',
  );
  expect(answer.errors).toEqual([]);
  const ids = answer.data.workspaces.nodes.map(({ id }: { id: string }) => id);
  expect([...facade.postman.calls].sort()).toEqual(
    ['GET /workspaces?limit=100', ...ids.map((id: string) => `GET /workspaces/${id}`)].sort(),
  );
});
