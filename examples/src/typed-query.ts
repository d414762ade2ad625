/** One typed query: the contents of the first workspace. */
import { ask } from './ask.js';
import { graphql } from './gql/gql.js';

const FirstWorkspace = graphql(/* GraphQL */ `
  query FirstWorkspace {
    workspaces(first: 1) {
      nodes {
        name
        collections {
          nodes {
            uid
            name
          }
        }
        environments {
          nodes {
            name
          }
        }
      }
    }
  }
`);

const { data, errors = [], extensions } = await ask(FirstWorkspace, {});

for (const workspace of data?.workspaces?.nodes ?? []) {
  console.log(workspace.name);
  for (const { uid, name } of workspace.collections?.nodes ?? []) console.log(`  ${name}  ${uid}`);
  for (const { name } of workspace.environments?.nodes ?? []) console.log(`  ${name} (environment)`);
}
for (const { message } of errors) console.error(message);
console.log(`${extensions?.upstream?.calls ?? 0} calls to Postman`);
