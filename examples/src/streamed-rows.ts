/** Prints rows as they arrive: collections whose descriptions take one call each. */
import type { Answer } from './ask.js';
import { askInParts } from './ask-in-parts.js';
import { graphql } from './gql/gql.js';
import type { StreamedRowsQuery } from './gql/graphql.js';

const StreamedRows = graphql(/* GraphQL */ `
  query StreamedRows {
    collections(first: 50) {
      nodes @stream {
        name
        description
      }
    }
  }
`);

let shown = 0;
let last: Answer<StreamedRowsQuery> = {};
for await (const answer of askInParts(StreamedRows, {})) {
  last = answer;
  for (const { name, description } of answer.data?.collections?.nodes.slice(shown) ?? []) {
    console.log(`${++shown}. ${name}: ${description?.split('\n', 1)[0] ?? 'no description'}`);
  }
}
for (const { message } of last.errors ?? []) console.error(message);
console.log(`${last.extensions?.upstream?.calls ?? 0} calls to Postman`);
