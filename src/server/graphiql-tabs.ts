/** The tabs GraphiQL opens with. Each runs as it is, on any account. */
export const graphiqlTabs: readonly string[] = [
  `# Everything at a glance: the first ten workspaces with the names of what they hold.
# Run it with Ctrl-Enter. Cost: one GET for the list, one for each workspace.
query Overview {
  workspaces(first: 10) {
    totalCount
    nodes {
      id
      name
      visibility
      collections {
        totalCount
        nodes {
          uid
          name
        }
      }
      environments {
        nodes {
          uid
          name
        }
      }
    }
  }
}
`,
  `# One collection's whole tree: folders and requests, three levels deep, by fragments.
# Cost: one GET for the list, one for the collection, however deep you go.
query CollectionTree {
  collections(first: 1) {
    nodes {
      name
      description
      items {
        ...Level1
      }
    }
  }
}

fragment Level1 on CollectionItem {
  ...Entry
  ... on Folder {
    items {
      ...Level2
    }
  }
}

fragment Level2 on CollectionItem {
  ...Entry
  ... on Folder {
    items {
      ...Level3
    }
  }
}

fragment Level3 on CollectionItem {
  ...Entry
}

fragment Entry on CollectionItem {
  __typename
  name
  ... on Request {
    method
    url {
      raw
    }
    effectiveAuth {
      type
    }
    examples {
      name
      code
    }
  }
}
`,
  `# Environments with their values. Values of secrets are withheld: isMasked says so.
# Cost: one GET for the list, one for each environment.
query EnvironmentValues {
  environments(first: 3) {
    nodes {
      name
      updatedAt
      values {
        key
        text
        enabled
        isSecret
        isMasked
      }
    }
  }
}
`,
  `# Whose key it is, and what is left of its budget of calls to Postman.
# Cost: one GET for the user; the budget itself costs nothing.
query Budget {
  me {
    username
    teamName
  }
  rateLimit {
    limit
    windowSeconds
    remaining
    resetAt
    queued
    monthLimit
    monthRemaining
  }
}
`,
];
