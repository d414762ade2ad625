/** A dashboard that shows the available data after two seconds, and the rest when the budget allows. */
import type { Answer } from './ask.js';
import { askAgain } from './ask-again.js';
import { graphql } from './gql/gql.js';
import type { DashboardQuery } from './gql/graphql.js';

const Dashboard = graphql(/* GraphQL */ `
  query Dashboard {
    personal: workspaces(visibility: PERSONAL) {
      totalCount
    }
    team: workspaces(visibility: TEAM) {
      totalCount
    }
    workspaces {
      nodes {
        name
        description
        collections {
          nodes {
            name
          }
        }
      }
    }
  }
`);

const answer = await askAgain(
  Dashboard,
  {},
  {
    headers: { Prefer: 'wait=2' },
    onWait(sofar, { code, retryAfterSeconds, retryAt }) {
      show(sofar);
      console.log(`${code}: retrying in ${retryAfterSeconds} s, at ${retryAt}`);
    },
  },
);
show(answer);
for (const { message } of answer.errors ?? []) console.error(message);

function show({ data, errors = [], extensions }: Answer<DashboardQuery>): void {
  const lists = data?.workspaces?.nodes.flatMap(({ collections }) => collections ?? []) ?? [];
  const collections = lists.flatMap(({ nodes }) => nodes);
  console.log(
    `collections of ${lists.length} of ${data?.workspaces?.nodes.length ?? 0} workspaces: ${collections.length}, ` +
      `${errors.length} errors, ${extensions?.upstream?.calls ?? 0} calls to Postman`,
  );
}
