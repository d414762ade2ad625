/**
 * The linter's rules. Every border between layers and modules stands in the two tables below: who may not import whom. The linter reads them, and
 * `test/unit/project/lint.test.ts` plants a violation for each.
 */

/** Packages by what they are for. */
const GRAPHQL = ['graphql', 'graphql/**', '@pothos/**'];
const YOGA = ['graphql-yoga', 'graphql-yoga/**', '@graphql-yoga/**'];
const DATALOADER = ['dataloader', 'dataloader/**'];
const UNDICI = ['undici', 'undici/**'];
const QUEUE = ['p-queue', 'p-queue/**'];
const LRU = ['lru-cache', 'lru-cache/**'];
const NODE_HTTP = ['node:http', 'node:https'];
/** What operators are shown goes through an observer: only the server and the start know these. */
const TELEMETRY = ['pino', 'pino/**', 'prom-client', '@opentelemetry/**'];

/** The files that start the program. */
const START = ['**/main.ts', '**/start.ts'];
const SERVER = ['**/server/**', '**/server.ts'];

/** Everything above a layer. */
const ABOVE_DRY_RUN = [...SERVER, '**/sandbox/**', '**/config/**', ...START];
const ABOVE_GRAPH = ['**/dry-run/**', ...ABOVE_DRY_RUN];
const ABOVE_LOADERS = ['**/graph/**', ...ABOVE_GRAPH];
const ABOVE_UPSTREAM = ['**/loaders/**', ...ABOVE_LOADERS];

/** A folder of `src` and what its files may not import: layers first, from the lowest to the highest. */
const LAYERS = {
  'src/upstream': [
    forbid('upstream is the lowest layer: it imports only itself.', ABOVE_UPSTREAM),
    forbid('upstream knows REST, never GraphQL.', [...GRAPHQL, ...YOGA, ...DATALOADER]),
    forbid('upstream reports to an observer: it knows no log, trace or metric.', TELEMETRY),
    forbid('slots in Redis are one slot source: the rest of upstream knows the interface alone.', ['**/redis/**']),
  ],
  'src/loaders': [
    forbid('loaders import upstream, nothing above.', ABOVE_LOADERS),
    forbid('loaders know the session and the routes, not how calls are made.', [
      '**/upstream/http/**',
      '**/upstream/rate-limiter/**',
      '**/upstream/cache/**',
      '**/upstream/collection-format/**',
    ]),
    forbid('loaders know no log, trace or metric.', TELEMETRY),
    forbid('loaders know neither GraphQL nor HTTP.', [...GRAPHQL, ...YOGA, ...UNDICI, ...QUEUE, ...LRU]),
  ],
  'src/graph': [
    forbid('graph imports loaders and upstream types, nothing above.', ABOVE_GRAPH),
    forbid('graph knows what upstream returns, not how calls are made.', [
      '**/upstream/http/http-client.ts',
      '**/upstream/http/body/**',
      '**/upstream/rate-limiter/*/**',
      '**/upstream/cache/**',
    ]),
    forbid('graph knows no log, trace or metric.', TELEMETRY),
    forbid("graph never sees HTTP, a queue or a loader's inside.", [
      ...YOGA,
      ...UNDICI,
      ...QUEUE,
      ...LRU,
      ...DATALOADER,
      ...NODE_HTTP,
    ]),
  ],
  'src/dry-run': [
    forbid('the dry run imports graph, loaders and upstream, nothing above.', ABOVE_DRY_RUN),
    forbid('the dry run knows no log, trace or metric.', TELEMETRY),
    forbid("the dry run makes no calls: it never sees HTTP, a cache or a loader's inside.", [
      '**/upstream/http/http-client.ts',
      '**/upstream/http/body/**',
      '**/upstream/rate-limiter/redis/**',
      '**/upstream/cache/response-cache.ts',
      ...YOGA,
      '@pothos/**',
      ...UNDICI,
      ...LRU,
      ...DATALOADER,
      ...NODE_HTTP,
    ]),
  ],
  'src/sandbox': [
    forbid("the sandbox is somebody else's server: it shares no code with the facade.", [
      '**/upstream/**',
      '**/loaders/**',
      '**/graph/**',
      '**/dry-run/**',
      ...SERVER,
      '**/config/**',
      ...START,
    ]),
    forbid('the sandbox is plain node:http.', [...GRAPHQL, ...YOGA, ...DATALOADER, ...UNDICI, ...QUEUE, ...LRU]),
  ],
  'src/config': [
    forbid('config defines what can be set: it imports nothing that is built from it.', [
      '**/loaders/**',
      '**/graph/**',
      '**/dry-run/**',
      ...SERVER,
      '**/sandbox/**',
      ...START,
    ]),
  ],
  'src/graphiql': [
    forbid('the scripts of the GraphiQL page run in a browser: they import only each other.', [
      '../**',
      'node:*',
      ...GRAPHQL,
      ...YOGA,
    ]),
  ],
  'src/server': [forbid('main starts the server, not the other way round.', START)],
};

/** Modules inside a layer, with the modules of the same layer that they may not import. The rules of their layer hold as well. */
const MODULES = {
  'src/upstream/collection-format': [
    forbid('collection-format reads one collection: it knows no route, call, limiter or cache.', [
      '**/postman/**',
      '**/http/**',
      '**/rate-limiter/**',
      '**/cache/**',
      '**/calls/**',
      ...UNDICI,
      ...QUEUE,
      ...LRU,
    ]),
  ],
  'src/upstream/collection-format/fields': [
    forbid('fields are read one by one: they do not know the tree.', ['**/tree/**']),
  ],
  'src/upstream/collection-format/masking': [forbid('masking works on JSON alone.', ['**/tree/**', '**/fields/**'])],
  'src/upstream/collection-format/syntax': [
    forbid('syntax is the lowest part of collection-format.', ['**/tree/**', '**/fields/**', '**/masking/**']),
  ],
  'src/upstream/postman': [
    forbid("postman describes Postman's routes: it does not know how they are called.", [
      '**/http/**',
      '**/rate-limiter/**',
      '**/cache/**',
      '**/calls/**',
      ...UNDICI,
      ...QUEUE,
    ]),
  ],
  'src/upstream/http': [
    forbid('http sends one request: it knows no limiter, cache or operation.', [
      '**/rate-limiter/**',
      '**/cache/**',
      '**/calls/**',
    ]),
  ],
  'src/upstream/rate-limiter': [
    forbid('the rate limiter counts calls: it does not know what they read.', [
      '**/collection-format/**',
      '**/postman/resources/**',
      '**/http/http-client.ts',
      '**/http/body/**',
      '**/cache/**',
      '**/calls/**',
      ...UNDICI,
    ]),
  ],
  'src/upstream/rate-limiter/windows': [
    forbid('windows count; queues and budgets are built on them.', ['../*.ts', '**/queue/**']),
  ],
  'src/upstream/rate-limiter/queue': [
    forbid('the queue asks a slot source: it does not know where slots are counted.', [
      '**/windows/**',
      '../rate-limiter.ts',
      '../budget.ts',
      '../budget-registry.ts',
    ]),
  ],
  'src/upstream/cache': [
    forbid('the cache stores responses: it knows no route, limiter or call.', [
      '**/collection-format/**',
      '**/postman/**',
      '**/http/http-client.ts',
      '**/http/body/**',
      '**/rate-limiter/**',
      '**/calls/**',
      ...UNDICI,
      ...QUEUE,
    ]),
  ],
  'src/upstream/shared-cache': [
    forbid('the shared cache stores texts in Redis: it knows no route, limiter, call or other cache.', [
      '**/collection-format/**',
      '**/postman/**',
      '**/http/http-client.ts',
      '**/http/body/**',
      '**/rate-limiter/**',
      '**/cache/**',
      '**/calls/**',
      ...UNDICI,
    ]),
  ],
  'src/upstream/calls': [
    forbid('calls join cache, limiter and HTTP by their entry files.', [
      '**/collection-format/**',
      '**/rate-limiter/windows/**',
      '**/http/body/**',
      ...UNDICI,
    ]),
  ],
  'src/upstream/calls/api-keys': [
    forbid('api-keys judges keys: it sends and caches nothing.', [
      '**/cache/**',
      '**/rate-limiter/**',
      '**/collection-format/**',
      ...UNDICI,
    ]),
  ],
  'src/upstream/calls/operation': [
    forbid('an operation is what calls are made for: it makes none.', [
      '../calls.ts',
      '../send-call.ts',
      '../in-flight-call*.ts',
      '**/http/http-client.ts',
      '**/cache/response-cache.ts',
      '**/collection-format/**',
      ...UNDICI,
    ]),
  ],
  'src/graph/errors': [
    forbid('errors translate: they know no other part of graph.', [
      '../*.ts',
      '**/types/**',
      '**/search/**',
      '**/paging/**',
      '**/planning/**',
      '**/limits/**',
      '**/tree/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/execution': [
    forbid('the executor runs any schema: it names no type, no route and no context.', [
      '../builder.ts',
      '../refs.ts',
      '../context.ts',
      '**/types/**',
      '**/search/**',
      '**/paging/**',
      '**/planning/**',
      '**/errors/**',
      '**/graph/tree/**',
      '**/subgraph/**',
      '**/loaders/**',
      '**/upstream/**',
    ]),
  ],
  'src/graph/limits': [
    forbid('limits hold for every schema: they name no type and no route.', [
      '../builder.ts',
      '../refs.ts',
      '**/types/**',
      '**/search/**',
      '**/planning/**',
      '**/tree/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/paging': [
    forbid('paging works on rows of any type.', [
      '**/types/**',
      '**/search/**',
      '**/planning/**',
      '**/limits/**',
      '**/tree/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/planning': [
    forbid('planning reads selections: types build on it.', [
      '**/types/**',
      '**/search/**',
      '**/limits/**',
      '**/graph/tree/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/tree': [
    forbid('the tree is what one collection holds: it makes no calls.', [
      '**/types/**',
      '**/search/**',
      '**/planning/**',
      '**/limits/**',
      '**/subgraph/**',
      '**/loaders/**',
    ]),
  ],
  'src/graph/types': [
    forbid('types declare fields: limits and the subgraph are applied to the whole schema.', [
      '**/limits/**',
      '**/search/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/search': [
    forbid('a search reads collections: it knows no type of a workspace, and no limit.', [
      '**/types/**',
      '**/limits/**',
      '**/subgraph/**',
    ]),
  ],
  'src/graph/subgraph': [
    forbid('the subgraph is printed from the schema: it defines no field of a type.', [
      '**/types/**',
      '**/search/**',
      '**/paging/**',
      '**/limits/**',
      '**/tree/**',
    ]),
  ],
  'src/server/http': [
    forbid('HTTP parts know no GraphQL operation.', [
      '**/plugins/**',
      '**/operation/**',
      '**/result/**',
      '**/incremental/**',
      '**/graph/**',
      '**/dry-run/**',
    ]),
  ],
  'src/server/result-cache': [
    forbid('results are served again whatever they contain: their cache knows no plugin and no schema.', [
      '**/plugins/**',
      '**/result/**',
      '**/incremental/**',
      '**/graph/**',
      '**/dry-run/**',
      '../create-upstream.ts',
      '../shared-slots.ts',
    ]),
  ],
  'src/server/hooks': [
    forbid('hooks report what has changed: they know no GraphQL, and nothing that is cached.', [
      '**/plugins/**',
      '**/operation/**',
      '**/result/**',
      '**/incremental/**',
      '**/graph/**',
      '**/dry-run/**',
      '**/cache/**',
      '../create-upstream.ts',
    ]),
  ],
  'src/server/incremental': [
    forbid('incremental delivery maps parts, whatever the operation.', [
      '**/plugins/**',
      '**/operation/**',
      '**/result/**',
      '**/http/**',
    ]),
  ],
  'src/server/result': [
    forbid('results are masked and written, whatever the operation.', [
      '**/plugins/**',
      '**/operation/**',
      '**/server/http/**',
      '../http/**',
    ]),
  ],
  'src/server/operation': [
    forbid('plugins use the operation, not the other way round.', [
      '**/plugins/**',
      '../create-upstream.ts',
      '../shared-slots.ts',
      '../shared-responses.ts',
    ]),
  ],
  'src/server/telemetry': [
    forbid('plugins use telemetry, not the other way round.', [
      '**/plugins/**',
      '../create-upstream.ts',
      '../shared-slots.ts',
      '../shared-responses.ts',
    ]),
  ],
  'src/server/plugins': [
    forbid('a plugin gets upstream and slots from the server.', [
      '**/create-upstream.ts',
      '**/shared-slots.ts',
      '**/shared-responses.ts',
      '**/redis/**',
    ]),
  ],
  'src/server/metrics': [
    forbid('metrics get events by interfaces: they know no plugin, no query and no wiring.', [
      '**/plugins/**',
      '**/result/**',
      '**/incremental/**',
      '**/graph/**',
      '**/dry-run/**',
      '../create-upstream.ts',
      '**/redis/**',
    ]),
  ],
  'src/sandbox/account': [
    forbid('an account is data: it knows no server.', [
      '**/sandbox.ts',
      '**/routes.ts',
      '**/delivery.ts',
      '**/rate-limit-gate.ts',
      '**/mock-routes.ts',
      '**/faults.ts',
      '**/exports/**',
    ]),
  ],
};

function forbid(message, group) {
  return { group, message };
}

/** Which layer's rules a module inherits, and which modules' it lies in. */
const patternsOf = (folder) =>
  Object.entries({ ...LAYERS, ...MODULES })
    .filter(([outer]) => folder === outer || folder.startsWith(`${outer}/`))
    .flatMap(([, patterns]) => patterns);

const restrict = (folder) => ({
  files: [`${folder}/**`, ...(folder === 'src/server' ? ['src/server.ts'] : [])],
  rules: { 'no-restricted-imports': ['error', { patterns: patternsOf(folder) }] },
});

/** Redis' own files import each other. */
const REDIS = 'src/upstream/rate-limiter/redis';
const redisPatterns = patternsOf(REDIS).filter(({ group }) => !group.includes('**/redis/**'));

export default {
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node', 'vitest'],
  categories: {
    correctness: 'error',
    suspicious: 'error',
  },
  env: {
    node: true,
    es2024: true,
  },
  ignorePatterns: [
    'dist',
    'examples/dist',
    'coverage',
    'node_modules',
    'examples/src/gql',
    'examples/dashboard/src/gql',
  ],
  rules: {
    // `itFills` of the client tests declares a test.
    'vitest/no-standalone-expect': ['error', { additionalTestBlockFunctions: ['itFills'] }],
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-unassigned-import': 'off',
    'no-console': 'error',
    'no-restricted-properties': [
      'error',
      {
        object: 'Date',
        property: 'now',
        message: 'Clocks are read in clock.ts alone.',
      },
      {
        object: 'performance',
        property: 'now',
        message: 'Clocks are read in clock.ts alone.',
      },
      {
        object: 'process',
        property: 'hrtime',
        message: 'Clocks are read in clock.ts alone.',
      },
    ],
    'no-process-env': 'error',
    'node/no-process-env': 'error',
    'no-underscore-dangle': 'off',
    'no-await-in-loop': 'off',
    'no-shadow': 'off',
    eqeqeq: [
      'error',
      'always',
      {
        null: 'ignore',
      },
    ],
    'prefer-const': 'error',
    'no-var': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/consistent-type-imports': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/unbound-method': 'off',
    'unicorn/no-useless-spread': 'off',
    'typescript/consistent-return': 'off',
    'typescript/require-array-sort-compare': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/consistent-function-scoping': 'off',
  },
  overrides: [
    ...[
      {
        files: ['src/**'],
        rules: {
          'max-lines': [
            'error',
            {
              max: 250,
            },
          ],
          'max-lines-per-function': [
            'error',
            {
              max: 100,
            },
          ],
        },
      },
      {
        // A browser has one clock, and the page only displays it.
        files: ['src/upstream/clock.ts', 'src/sandbox/clock.ts', 'src/graphiql/main.ts'],
        rules: {
          'no-restricted-properties': 'off',
        },
      },
      {
        files: ['src/config/read-environment.ts'],
        rules: {
          'no-process-env': 'off',
          'node/no-process-env': 'off',
        },
      },
      {
        files: ['scripts/**', 'bench/**', 'examples/**', 'codegen.ts'],
        rules: {
          'no-console': 'off',
          'no-process-env': 'off',
          'node/no-process-env': 'off',
          'no-restricted-properties': 'off',
        },
      },
      {
        files: ['vitest.config.ts', 'oxlint.config.mjs', 'examples/**/codegen.ts', 'examples/dashboard/vite.config.ts'],
        rules: {
          'import/no-default-export': 'off',
        },
      },
      {
        files: ['test/**'],
        rules: {
          'typescript/no-non-null-assertion': 'off',
          'unicorn/no-thenable': 'off',
          'node/no-process-env': 'off',
          'no-process-env': 'off',
          'no-restricted-properties': 'off',
        },
      },
    ],
    ...Object.keys({ ...LAYERS, ...MODULES }).map(restrict),
    { files: [`${REDIS}/**`], rules: { 'no-restricted-imports': ['error', { patterns: redisPatterns }] } },
  ],
};
