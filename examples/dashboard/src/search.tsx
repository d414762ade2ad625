import { useState } from 'react';
import { graphql } from './gql';
import { Status } from './status';
import { useOperation } from './use-operation';

const SearchRequests = graphql(`
  query SearchRequests($search: String!, $after: String) {
    requests(first: 10, after: $after, filter: { search: $search }) {
      totalCount
      searchedCollectionCount
      unsearchedCollectionCount
      unsearchedCollections {
        id
        name
      }
      nodes {
        id
        method
        name
        path
        collection {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** A search through the requests of all collections. */
export function SearchPanel() {
  const [text, setText] = useState('ride');
  const [search, setSearch] = useState(text);
  return (
    <section aria-labelledby="search">
      <h2 id="search">Search all requests</h2>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setSearch(text);
        }}
      >
        <label>
          Text <input type="search" required value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <button type="submit">Search</button>
      </form>
      <Page key={search} search={search} after={null} />
    </section>
  );
}

/** One page of matches, and the next one below it. Each page reads collections only until it is full. */
function Page({ search, after }: { search: string; after: string | null }) {
  const operation = useOperation(SearchRequests, { search, after });
  const [next, setNext] = useState<string | null>(null);
  const found = operation.data?.requests;
  const count = found?.unsearchedCollectionCount ?? 0;
  const isFull = operation.isComplete && operation.problems.length === 0 && found?.pageInfo.hasNextPage;
  return (
    <>
      <ul className="matches">
        {found?.nodes.map(({ id, method, name, path, collection }) => (
          <li key={id}>
            <code>{method}</code> {name} <small>{[collection?.name, ...path].join(' / ')}</small>
          </li>
        ))}
      </ul>
      {next ? (
        <Page key={next} search={search} after={next} />
      ) : (
        <Status operation={operation}>
          {operation.isRunning && 'Searching … '}
          {found && `${found.searchedCollectionCount} of ${found.searchedCollectionCount + count} collections searched`}
          {found && (found.totalCount === null ? '.' : `: ${found.totalCount} matches.`)}
        </Status>
      )}
      {!next && count > 0 && (
        <p className="unsearched">
          Not searched yet: {found?.unsearchedCollections.map(({ name }) => name).join(', ')}
        </p>
      )}
      {!next && isFull && (
        <button type="button" onClick={() => setNext(found?.pageInfo.endCursor ?? null)}>
          More matches
        </button>
      )}
    </>
  );
}
