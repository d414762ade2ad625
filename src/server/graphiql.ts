import type { GraphiQLOptions } from 'graphql-yoga';

const firstQuery = `# Everything at a glance: each workspace with its collections and environments.
# One GET for the list, one for each workspace. Press Ctrl-Enter.
query Overview {
  workspaces(first: 10) {
    nodes {
      name
      visibility
      collections {
        totalCount
        nodes { uid name }
      }
      environments {
        nodes { uid name }
      }
    }
  }
  rateLimit { limit remaining resetAt }
}
`;

/**
 * Makes the options of the GraphiQL page. They are printed into the page: nothing of them may be secret.
 *
 * @param isSandbox - Whether the embedded sandbox answers.
 */
export function toGraphiQLOptions(isSandbox: boolean): GraphiQLOptions {
  return {
    title: isSandbox ? 'postman-graphql (sandbox)' : 'postman-graphql',
    defaultQuery: firstQuery,
    defaultHeaders: JSON.stringify({ 'X-Api-Key': '' }, null, 2),
    // A key typed into the header editor must not be found in the browser's storage.
    shouldPersistHeaders: false,
  };
}
