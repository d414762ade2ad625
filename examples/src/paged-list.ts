/** Prints a list page by page: the requests of a collection. The argument is its uid. */
import { graphql } from './gql/gql.js';
import { readPages } from './read-pages.js';

const Requests = graphql(/* GraphQL */ `
  query Requests($uid: ID!, $after: String) {
    collection(uid: $uid) {
      requests(first: 5, after: $after) {
        totalCount
        nodes {
          method
          name
          path
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const [uid] = process.argv.slice(2);
if (uid === undefined) throw new Error('Usage: npm run paged-list -- <uid of a collection>');

for await (const { data, errors = [], extensions } of readPages(
  Requests,
  { uid },
  ({ collection }) => collection?.requests,
)) {
  const { nodes = [], totalCount } = data.collection?.requests ?? {};
  console.log(`${nodes.length} of ${totalCount} requests, ${extensions?.upstream?.calls ?? 0} calls to Postman`);
  for (const { method, name, path } of nodes) console.log(`  ${method} ${[...path, name].join(' / ')}`);
  for (const { message } of errors) console.error(message);
}
