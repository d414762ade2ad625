// Documents of an application that uses Relay. `relay-project.ts` compiles them; nothing runs them as they are.
import { graphql } from 'relay-runtime';

export const query = graphql`
  query identityQuery {
    collections {
      nodes {
        ...identity_collection
      }
    }
    environments {
      nodes {
        id
        name
      }
    }
  }
`;

export const collection = graphql`
  fragment identity_collection on Collection
  @refetchable(queryName: "identityCollectionRefetchQuery") {
    id
    name
    description
    requests {
      nodes {
        ...identity_request
      }
    }
  }
`;

export const request = graphql`
  fragment identity_request on Request
  @refetchable(queryName: "identityRequestRefetchQuery") {
    id
    name
    method
    examples {
      id
      name
    }
  }
`;
