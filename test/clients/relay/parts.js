// Documents of an application that uses Relay. `relay-project.ts` compiles them; nothing runs them as they are.
import { graphql } from 'relay-runtime';

export const query = graphql`
  query partsQuery($id: ID!) {
    workspace(id: $id) {
      id
      name
      collections {
        nodes @stream(initialCount: 1, label: "rows") {
          id
          name
          description
        }
      }
      ...parts_environments @defer(label: "environments")
    }
  }
`;

export const environments = graphql`
  fragment parts_environments on Workspace {
    environments {
      nodes {
        id
        name
      }
    }
  }
`;
