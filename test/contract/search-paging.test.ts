import { array, assert, asyncProperty, boolean, constantFrom, integer, nat, record } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { toRuns } from '../support/property-runs.ts';
import { createSearchAccount } from '../support/search-account.ts';

const runs = toRuns(60);

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(40 * runs.numRuns);
});
afterAll(() => tested.facade.close());

/** What happens before a page is read. */
const anyStep = record({
  first: integer({ min: 1, max: 6 }),
  /** Collections that other operations read, so that they are cached. */
  reads: array(nat(11), { maxLength: 3 }),
  /** Nothing is cached any more, as after a restart. */
  startsOver: boolean(),
});

it('finds each match on one page, whatever is cached from page to page, and knows the total at the end', async () => {
  const { facade } = tested;
  await assert(
    asyncProperty(
      array(nat(4), { minLength: 1, maxLength: 12 }),
      constantFrom('requests', 'folders'),
      constantFrom('', '.1', 'no match'),
      array(anyStep, { minLength: 1, maxLength: 8 }),
      async (sizes, kind, text, steps) => {
        const { account, uids } = createSearchAccount(sizes);
        tested.serve(account);
        let headers = tested.nextKey();
        const found: string[] = [];
        let after = '';
        for (let page = 0; ; page++) {
          const { first, reads, startsOver } = steps[page % steps.length] ?? { first: 1, reads: [], startsOver: false };
          if (startsOver) headers = tested.nextKey();
          for (const index of reads) {
            const uid = uids[index];
            if (uid) await facade.query(`{ collection(uid: "${uid}") { formatVersion } }`, { headers });
          }
          const { data, errors } = await facade.query(
            `{ ${kind}(filter: { search: "${text}" }, first: ${first}${after}) {
              edges { cursor node { name } } totalCount unsearchedCollectionCount pageInfo { hasNextPage hasPreviousPage endCursor }
            } }`,
            { headers },
          );
          expect(errors).toEqual([]);
          const { edges, totalCount, unsearchedCollectionCount, pageInfo } = data[kind];
          expect(pageInfo.hasPreviousPage).toBe(found.length > 0);
          found.push(...edges.map(({ node }: { node: { name: string } }) => node.name));
          const isLast = !pageInfo.hasNextPage;
          const counts = { unsearchedCollectionCount, totalCount };
          expect(counts).toEqual(isLast ? { unsearchedCollectionCount: 0, totalCount: found.length } : counts);
          if (isLast) break;
          // A page that has a next one is full.
          expect([edges.length, pageInfo.endCursor]).toEqual([first, edges.at(-1).cursor]);
          after = `, after: "${pageInfo.endCursor}"`;
          expect(page).toBeLessThan(100);
        }
        const name = kind === 'requests' ? 'Request' : 'Folder';
        const all = sizes.flatMap((size, index) =>
          Array.from({ length: size }, (_, number) => `${name} ${index}.${number}`),
        );
        expect(found.sort()).toEqual(all.filter((one) => one.includes(text)).sort());
      },
    ),
    runs,
  );
}, 600_000);
