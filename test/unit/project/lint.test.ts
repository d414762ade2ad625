import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Importing file, forbidden import, and the linter's message. */
const borders: readonly (readonly [from: string, imports: readonly string[], message: string])[] = [
  [
    'src/upstream/http',
    ['../../loaders/loaders.ts', '../../graph/schema.ts', '../../dry-run/call-tally.ts', '../../server/http/prefer.ts'],
    'upstream is the lowest layer',
  ],
  [
    'src/upstream/calls',
    ['../../server.ts', '../../sandbox/faults.ts', '../../config/config.ts'],
    'upstream is the lowest layer',
  ],
  ['src/upstream', ['./../main.ts', '../start.ts'], 'upstream is the lowest layer'],
  ['src/upstream/collection-format/tree', ['../../../graph/schema.ts'], 'upstream is the lowest layer'],
  [
    'src/upstream/calls',
    ['graphql', 'graphql/error/index.js', 'graphql-yoga', '@pothos/core', 'dataloader'],
    'upstream knows REST',
  ],
  [
    'src/upstream/calls',
    ['pino', 'prom-client', '@opentelemetry/api', '@opentelemetry/sdk-trace-base'],
    'upstream reports to an observer',
  ],
  ['src/loaders', ['pino', '@opentelemetry/api'], 'loaders know no log'],
  ['src/graph/types', ['pino', '@opentelemetry/api'], 'graph knows no log'],
  ['src/dry-run', ['pino', '@opentelemetry/api'], 'the dry run knows no log'],
  ['src/upstream/rate-limiter', ['./redis/redis-slots.ts'], 'slots in Redis are one slot source'],
  ['src/upstream/calls', ['../rate-limiter/redis/slot-store.ts'], 'slots in Redis are one slot source'],
  [
    'src/upstream/collection-format/tree',
    [
      '../../postman/uid.ts',
      '../../http/secret.ts',
      '../../rate-limiter/budget.ts',
      '../../cache/freshness.ts',
      '../../calls/calls.ts',
      'undici',
      'p-queue',
      'lru-cache',
    ],
    'collection-format reads one collection',
  ],
  ['src/upstream/collection-format/fields', ['../tree/item.ts'], 'fields are read one by one'],
  ['src/upstream/collection-format/masking', ['../tree/item.ts', '../fields/url.ts'], 'masking works on JSON alone'],
  [
    'src/upstream/collection-format/syntax',
    ['../tree/item.ts', '../fields/url.ts', '../masking/secrets.ts'],
    'syntax is the lowest part',
  ],
  [
    'src/upstream/postman/resources',
    [
      '../../http/secret.ts',
      '../../rate-limiter/budget.ts',
      '../../cache/freshness.ts',
      '../../calls/calls.ts',
      'undici',
      'p-queue',
    ],
    "postman describes Postman's routes",
  ],
  [
    'src/upstream/http/body',
    ['../../rate-limiter/budget.ts', '../../cache/freshness.ts', '../../calls/calls.ts'],
    'http sends one request',
  ],
  [
    'src/upstream/rate-limiter/redis',
    [
      '../../collection-format/syntax/json.ts',
      '../../postman/resources/me.ts',
      '../../http/http-client.ts',
      '../../http/body/read-body.ts',
      '../../cache/freshness.ts',
      '../../calls/calls.ts',
      'undici',
    ],
    'the rate limiter counts calls',
  ],
  [
    'src/upstream/rate-limiter/windows',
    ['../budget.ts', '../slot-source.ts', '../queue/fair-queue.ts'],
    'windows count',
  ],
  [
    'src/upstream/rate-limiter/queue',
    ['../windows/rate-window.ts', '../rate-limiter.ts', '../budget.ts', '../budget-registry.ts'],
    'the queue asks a slot source',
  ],
  [
    'src/upstream/cache',
    [
      '../collection-format/syntax/json.ts',
      '../postman/routes.ts',
      '../http/http-client.ts',
      '../http/body/read-body.ts',
      '../rate-limiter/budget.ts',
      '../calls/calls.ts',
      'undici',
      'p-queue',
    ],
    'the cache stores responses',
  ],
  [
    'src/upstream/shared-cache',
    [
      '../collection-format/syntax/json.ts',
      '../postman/routes.ts',
      '../http/http-client.ts',
      '../http/body/read-body.ts',
      '../rate-limiter/budget.ts',
      '../cache/freshness.ts',
      '../calls/calls.ts',
      'undici',
    ],
    'the shared cache stores texts',
  ],
  [
    'src/upstream/calls',
    [
      '../collection-format/syntax/json.ts',
      '../rate-limiter/windows/rate-window.ts',
      '../http/body/read-body.ts',
      'undici',
    ],
    'calls join cache, limiter and HTTP',
  ],
  ['src/upstream/calls/api-keys', ['../../cache/freshness.ts', '../../rate-limiter/budget.ts'], 'api-keys judges keys'],
  [
    'src/upstream/calls/operation',
    [
      '../calls.ts',
      '../send-call.ts',
      '../in-flight-call.ts',
      '../in-flight-calls.ts',
      '../../http/http-client.ts',
      '../../cache/response-cache.ts',
    ],
    'an operation is what calls are made for',
  ],
  [
    'src/loaders',
    [
      '../graph/context.ts',
      '../dry-run/call-tally.ts',
      '../server/request-caller.ts',
      '../server.ts',
      '../sandbox/sandbox.ts',
      '../config/config.ts',
    ],
    'loaders import upstream, nothing above',
  ],
  [
    'src/loaders',
    [
      '../upstream/http/http-client.ts',
      '../upstream/rate-limiter/budget.ts',
      '../upstream/cache/response-cache.ts',
      '../upstream/collection-format/tree/item.ts',
    ],
    'loaders know the session and the routes',
  ],
  ['src/loaders', ['graphql', 'undici', 'p-queue', 'lru-cache'], 'loaders know neither GraphQL nor HTTP'],
  [
    'src/graph',
    [
      '../server/request-caller.ts',
      '../dry-run/plan-operation.ts',
      '../server.ts',
      '../config/config.ts',
      '../sandbox/sandbox.ts',
    ],
    'graph imports loaders and upstream types',
  ],
  ['src/graph/tree', ['../../server/request-caller.ts'], 'graph imports loaders and upstream types'],
  [
    'src/graph/types',
    [
      '../../upstream/http/http-client.ts',
      '../../upstream/http/body/read-body.ts',
      '../../upstream/rate-limiter/queue/fair-queue.ts',
      '../../upstream/cache/freshness.ts',
    ],
    'graph knows what upstream returns',
  ],
  ['src/graph', ['graphql-yoga', 'undici', 'p-queue', 'lru-cache', 'dataloader', 'node:http'], 'graph never sees HTTP'],
  [
    'src/graph/errors',
    [
      '../context.ts',
      '../types/user.ts',
      '../paging/cursor.ts',
      '../planning/lookup.ts',
      '../limits/result-size.ts',
      '../tree/folder.ts',
      '../subgraph/entities.ts',
    ],
    'errors translate',
  ],
  [
    'src/graph/execution',
    [
      '../builder.ts',
      '../refs.ts',
      '../context.ts',
      '../types/user.ts',
      '../search/search.ts',
      '../paging/cursor.ts',
      '../planning/lookup.ts',
      '../errors/retry-later.ts',
      '../../graph/tree/folder.ts',
      '../subgraph/entities.ts',
      '../../loaders/loaders.ts',
      '../../upstream/clock.ts',
    ],
    'the executor runs any schema',
  ],
  [
    'src/graph/limits',
    [
      '../builder.ts',
      '../refs.ts',
      '../types/user.ts',
      '../planning/lookup.ts',
      '../tree/folder.ts',
      '../subgraph/entities.ts',
    ],
    'limits hold for every schema',
  ],
  [
    'src/graph/paging',
    [
      '../types/user.ts',
      '../planning/lookup.ts',
      '../limits/result-size.ts',
      '../tree/folder.ts',
      '../subgraph/entities.ts',
    ],
    'paging works on rows',
  ],
  [
    'src/graph/planning',
    ['../types/user.ts', '../limits/result-size.ts', '../../graph/tree/folder.ts', '../subgraph/entities.ts'],
    'planning reads selections',
  ],
  [
    'src/graph/tree',
    [
      '../types/user.ts',
      '../planning/lookup.ts',
      '../limits/result-size.ts',
      '../subgraph/entities.ts',
      '../search/search.ts',
      '../../loaders/loaders.ts',
    ],
    'the tree is what one collection holds',
  ],
  [
    'src/graph/types',
    ['../limits/result-size.ts', '../subgraph/entities.ts', '../search/search.ts'],
    'types declare fields',
  ],
  [
    'src/graph/search',
    ['../types/user.ts', '../limits/result-size.ts', '../subgraph/entities.ts'],
    'a search reads collections',
  ],
  [
    'src/graph/subgraph',
    ['../types/user.ts', '../paging/cursor.ts', '../limits/result-size.ts', '../tree/folder.ts'],
    'the subgraph is printed from the schema',
  ],
  [
    'src/dry-run',
    ['../server/plugin-parts.ts', '../server.ts', '../config/config.ts', '../sandbox/sandbox.ts', '../main.ts'],
    'the dry run imports graph, loaders and upstream',
  ],
  [
    'src/dry-run',
    [
      '../upstream/http/http-client.ts',
      '../upstream/http/body/read-body.ts',
      '../upstream/rate-limiter/redis/redis-slots.ts',
      '../upstream/cache/response-cache.ts',
      'graphql-yoga',
      '@pothos/core',
      'undici',
      'lru-cache',
      'dataloader',
      'node:http',
    ],
    'the dry run makes no calls',
  ],
  [
    'src/sandbox',
    [
      '../upstream/http/redact.ts',
      '../upstream/postman/levels.ts',
      '../loaders/loaders.ts',
      '../graph/schema.ts',
      '../config/config.ts',
      '../dry-run/call-tally.ts',
      '../server.ts',
    ],
    "the sandbox is somebody else's server",
  ],
  ['src/sandbox/account', ['../../upstream/http/redact.ts'], "the sandbox is somebody else's server"],
  [
    'src/sandbox',
    ['graphql', 'graphql-yoga', 'dataloader', 'undici', 'p-queue', 'lru-cache'],
    'the sandbox is plain node:http',
  ],
  [
    'src/sandbox/account',
    [
      '../sandbox.ts',
      '../routes.ts',
      '../delivery.ts',
      '../rate-limit-gate.ts',
      '../mock-routes.ts',
      '../faults.ts',
      '../exports/report.ts',
    ],
    'an account is data',
  ],
  [
    'src/graphiql',
    ['../server/http/client-address.ts', '../graph/schema.ts', 'node:fs', 'graphql', '@graphql-yoga/render-graphiql'],
    'the scripts of the GraphiQL page run in a browser',
  ],
  [
    'src/config',
    [
      '../server/http/client-address.ts',
      '../server.ts',
      '../graph/schema.ts',
      '../loaders/loaders.ts',
      '../dry-run/call-tally.ts',
      '../sandbox/sandbox.ts',
      '../start.ts',
    ],
    'config defines what can be set',
  ],
  ['src/server', ['../main.ts', '../start.ts'], 'main starts the server'],
  [
    'src/server/http',
    [
      '../plugins/use-dry-run.ts',
      '../operation/request-record.ts',
      '../result/write-json.ts',
      '../incremental/incremental.ts',
      '../../graph/context.ts',
      '../../dry-run/call-tally.ts',
    ],
    'HTTP parts know no GraphQL operation',
  ],
  [
    'src/server/result-cache',
    [
      '../plugins/use-dry-run.ts',
      '../result/write-json.ts',
      '../incremental/incremental.ts',
      '../../graph/context.ts',
      '../../dry-run/call-tally.ts',
      '../create-upstream.ts',
      '../shared-slots.ts',
    ],
    'results are served again whatever they contain',
  ],
  [
    'src/server/hooks',
    [
      '../plugins/use-dry-run.ts',
      '../operation/request-record.ts',
      '../result/write-json.ts',
      '../incremental/incremental.ts',
      '../../graph/context.ts',
      '../../dry-run/call-tally.ts',
      '../../upstream/cache/response-cache.ts',
      '../create-upstream.ts',
    ],
    'hooks report what has changed',
  ],
  [
    'src/server/incremental',
    ['../plugins/use-dry-run.ts', '../operation/request-record.ts', '../result/write-json.ts', '../http/prefer.ts'],
    'incremental delivery maps parts',
  ],
  [
    'src/server/result',
    ['../plugins/use-dry-run.ts', '../operation/request-record.ts', '../http/prefer.ts'],
    'results are masked and written',
  ],
  [
    'src/server/operation',
    ['../plugins/use-dry-run.ts', '../create-upstream.ts', '../shared-slots.ts'],
    'plugins use the operation',
  ],
  [
    'src/server/telemetry',
    ['../plugins/use-dry-run.ts', '../create-upstream.ts', '../shared-slots.ts'],
    'plugins use telemetry',
  ],
  [
    'src/server/metrics',
    [
      '../plugins/use-dry-run.ts',
      '../result/mask-errors.ts',
      '../incremental/incremental.ts',
      '../../graph/context.ts',
      '../../dry-run/plan-operation.ts',
      '../create-upstream.ts',
      '../../upstream/rate-limiter/redis/redis-slots.ts',
    ],
    'metrics get events by interfaces',
  ],
  [
    'src/server/plugins/request',
    ['../../create-upstream.ts', '../../shared-slots.ts', '../../../upstream/rate-limiter/redis/redis-slots.ts'],
    'a plugin gets upstream and slots from the server',
  ],
];
const violations = borders.flatMap(([from, imports, message]) =>
  imports.map((imported): [string, string, string] => [from, imported, message]),
);

const allowed: [string, string][] = [
  ['src/upstream/http', './redact.ts'],
  ['src/upstream/http', 'undici'],
  ['src/upstream/http', '../postman/call.ts'],
  ['src/upstream/rate-limiter', '../http/rate-limit-headers.ts'],
  ['src/upstream/rate-limiter/queue', 'p-queue'],
  ['src/upstream/rate-limiter/redis', './slot-store.ts'],
  ['src/upstream/cache', '../http/upstream-error.ts'],
  ['src/upstream/shared-cache', '../http/secret.ts'],
  ['src/upstream/calls', '../rate-limiter/queue/queued-call.ts'],
  ['src/upstream/postman/resources', '../../collection-format/syntax/json.ts'],
  ['src/loaders', '../upstream/postman/levels.ts'],
  ['src/loaders', '../upstream/calls/postman-session.ts'],
  ['src/loaders', 'dataloader'],
  ['src/graph', '../loaders/loaders.ts'],
  ['src/graph/types', '../planning/lookup.ts'],
  ['src/graph/types', '../../upstream/postman/levels.ts'],
  ['src/graph', 'graphql'],
  ['src/dry-run', '../graph/context.ts'],
  ['src/dry-run', '../upstream/postman/levels.ts'],
  ['src/dry-run', 'p-queue'],
  ['src/server/plugins', '../../dry-run/plan-operation.ts'],
  ['src/server/operation', '../../graph/context.ts'],
  ['src/server', '../upstream/rate-limiter/redis/redis-slots.ts'],
  ['src/config', '../upstream/http/secret.ts'],
  ['src/sandbox', './faults.ts'],
  ['src/sandbox', 'node:http'],
];

/** Violations of other rules: the text of a file, and the rule that it breaks. */
const habits: [string, string, string, string][] = [
  ['a default export', 'src/graph/planted-default.ts', 'export default 1;\n', 'import(no-default-export)'],
  [
    'a file of more than 250 lines',
    'src/graph/planted-length.ts',
    `export const x = [\n${'  1,\n'.repeat(250)}];\n`,
    'eslint(max-lines)',
  ],
  [
    'a function of more than 100 lines',
    'src/graph/planted-function.ts',
    `export const x = () => [\n${'  1,\n'.repeat(100)}];\n`,
    'eslint(max-lines-per-function)',
  ],
  ['console', 'src/server/planted-console.ts', "console.log('x');\n", 'eslint(no-console)'],
  ['process.env', 'src/server/planted-env.ts', 'export const x = process.env.HOME;\n', 'node(no-process-env)'],
  ['Date.now', 'src/server/planted-now.ts', 'export const x = () => Date.now();\n', 'eslint(no-restricted-properties)'],
  [
    'performance.now',
    'src/sandbox/planted-now.ts',
    'export const x = () => performance.now();\n',
    'eslint(no-restricted-properties)',
  ],
  [
    'process.hrtime',
    'src/upstream/planted-now.ts',
    'export const x = () => process.hrtime();\n',
    'eslint(no-restricted-properties)',
  ],
  ['any', 'src/graph/planted-any.ts', 'export const x = (y: any) => y;\n', 'typescript(no-explicit-any)'],
  [
    'a non-null assertion',
    'src/graph/planted-bang.ts',
    'export const x = (y?: string) => y!;\n',
    'typescript(no-non-null-assertion)',
  ],
];

const clocks = ['src/upstream/clock.ts', 'src/sandbox/clock.ts'];

const nameOf = ([from, what]: readonly string[]) => `${from}/planted-${what?.replaceAll(/\W+/g, '-')}.ts`;

interface Override {
  readonly rules: { 'no-restricted-imports'?: [string, { patterns: { message: string }[] }] };
}

interface Finding {
  readonly message: string;
  readonly code: string;
  readonly help?: string;
  readonly filename: string;
}
let findings: readonly Finding[] = [];
const findingsIn = (file: string) => findings.filter(({ filename }) => filename.replaceAll('\\', '/').endsWith(file));

// Lints a copy, so that the planted files do not affect a linter that runs on the checkout meanwhile.
const copy = mkdtempSync(join(tmpdir(), 'postman-graphql-lint-'));

beforeAll(() => {
  cpSync(join(root, 'oxlint.config.mjs'), join(copy, 'oxlint.config.mjs'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  };
  for (const planted of [...violations, ...allowed])
    plant(nameOf(planted), `import * as planted from '${planted[1]}';\n\nexport const x = planted;\n`);
  for (const [, file, text] of habits) plant(file, text);
  plant('src/config/config.ts', 'export const x = process.env.HOME;\n');
  for (const file of clocks) plant(file, 'export const x = () => performance.now() - Date.now();\n');
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', 'oxlint', 'bin', 'oxlint'), '-c', 'oxlint.config.mjs', '--format', 'json', 'src'],
    { cwd: copy, encoding: 'utf8' },
  );
  findings = (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics;
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('the linter', () => {
  it('has no border without a planted violation', async () => {
    const { default: config } = (await import(new URL('../../../oxlint.config.mjs', import.meta.url).href)) as {
      default: { overrides: Override[] };
    };
    const inRules = new Set(
      config.overrides.flatMap(({ rules }) =>
        (rules['no-restricted-imports']?.[1].patterns ?? []).map(({ message }) => message),
      ),
    );
    const unplanted = [...inRules].filter((message) => !borders.some(([, , planted]) => message.startsWith(planted)));
    expect(unplanted).toEqual([]);
  });

  it('finds at most 14 files in a folder of src', () => {
    const counts = new Map<string, number>();
    for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 14)).toEqual([]);
  });

  it.each(violations)('keeps %s from importing %s', (from, what, message) => {
    const found = findingsIn(nameOf([from, what]));
    expect(found.map(({ code }) => code)).toEqual(['eslint(no-restricted-imports)']);
    expect(`${found[0]?.message} ${found[0]?.help}`).toContain(message);
  });

  it.each(allowed)('lets %s import %s', (...planted) => {
    expect(findingsIn(nameOf(planted))).toEqual([]);
  });

  it.each(habits)('refuses %s', (_what, file, _text, code) => {
    expect(findingsIn(file).map((finding) => finding.code)).toContain(code);
  });

  it('lets only the configuration read the environment', () => {
    expect(findingsIn('src/config/read-environment.ts')).toEqual([]);
  });
});
