/** The tabs GraphiQL opens with. Each runs as it is, on any account. */
export const graphiqlTabs: readonly string[] = [
  `# Everything at a glance. Run it with Ctrl-Enter.
# Cost: a GET for the list, one for each workspace.
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
  `# A collection's tree, three levels by fragments.
# Cost: a GET for the list, one for the tree.
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
  `# Values of environments; isMasked: withheld.
# Cost: a GET for the list, one for each of them.
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
  `# Whose key it is, and what is left of its budget.
# Cost: a GET for the user, none for the budget.
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
  `# Page by page. The next one: add after: "<endCursor>".
# Cost: a GET for every 99.
query Paging {
  collections(first: 3) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      name
      updatedAt
    }
  }
}
`,
  `# What a query would cost. Nothing is sent to Postman.
# Cost: none. Delete the first field to run the rest.
query DryRun {
  rateLimit(dryRun: true) {
    cost
    costAtLeast
    likelyCost
    likelyReadyAt
    plan {
      path
      atLeast
      likely
      atMost
      forFields
    }
  }
  workspaces(first: 5) {
    nodes {
      name
      collections(first: 10) {
        nodes {
          description
        }
      }
    }
  }
}
`,
  `# An error on purpose: pages have 100 at most.
# What fails is null and in errors; the rest stands.
query OneError {
  me {
    username
  }
  workspaces(first: 1000) {
    nodes {
      name
    }
  }
}
`,
  `# Rows as they come: names first, then descriptions.
# Cost: a GET for the list, one for each of them.
query Stream {
  collections(first: 5) {
    nodes @stream(initialCount: 1) {
      name
      ... @defer {
        description
      }
    }
  }
}
`,
];
