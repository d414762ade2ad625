import type { BudgetSnapshot } from '../../upstream/rate-limiter/budget.ts';
import { childTypes, leveledTypes } from '../../upstream/postman/levels.ts';
import { builder } from '../builder.ts';
import type { Context, SpentRow } from '../context.ts';
import { ASSUMED_SIZES, LARGEST_COST, type PlannedCall } from '../planning/estimate.ts';

/** Description of `Query.rateLimit`. */
export const RATE_LIMIT_DESCRIPTION = `The budget of upstream calls of the API key in use, and what this \
operation takes of it; null without a key.

With \`dryRun: true\`, nothing is sent to Postman, whatever other fields the operation has. \`cost\` and \
\`costAtLeast\` say how many calls it would make at most and at least, \`likelyCost\` how many are likely, \
\`plan\` which calls they are, \`readyAt\` and \`likelyReadyAt\` when the budget would have served them. Every \
other root field is left out of the response, as if by \`@skip\`. The same operation without \`dryRun\` then \
makes at most \`cost\` and at least \`costAtLeast\` calls, provided that

- the account does not change and the cache evicts nothing in between,
- every call succeeds: a failed call may be retried, and whatever depends on it is not read,
- no other operation is making the same call at the same time: such a call is shared and costs this operation nothing,
- Postman fills the pages of its lists,
- the operation may make that many calls: it stops at MAX_CALLS_PER_OPERATION.

The estimate uses cached responses, including lists and their lengths, so the two figures get closer the more \
is cached. If the objects that an operation names already require more calls than it may make, it is refused \
with OPERATION_TOO_EXPENSIVE before its first call. Estimates are computed one operation at a time: if too many \
operations of the key wait for theirs, \`cost\` and \`plan\` fail with RATE_LIMITED and the time to retry.`;

const { workspaces, forkFraction } = ASSUMED_SIZES;
const ASSUMED_LISTS = childTypes.map((type) => `${leveledTypes[type].assumedPerWorkspace} ${leveledTypes[type].list}`);
const inEnglish = new Intl.ListFormat('en');
const LIKELY_COST_DESCRIPTION = `The number of calls that this operation likely makes, estimated before it \
makes any; between \`costAtLeast\` and \`cost\`. The estimate is only as good as the list lengths it assumes:

- A cached list has its cached length, even if it is too old to be served: it is assumed unchanged.
- Any other list has the length it had when it was last read with this key. Lengths are remembered for longer \
than the lists themselves.
- A list that was never read has the length it would have in an account of ${workspaces} workspaces with \
${inEnglish.format(ASSUMED_LISTS)} each, where one collection in ${1 / forkFraction} is a fork. That is between \
the embedded example account and the account of a team.

Objects that the operation names are assumed to exist, a collection name to match one collection, and a filter \
of workspaces to match half of them where they are not known.`;

/** The budget at the moment its field is resolved. */
export interface RateLimitSnapshot extends BudgetSnapshot {
  readonly isDryRun: boolean;
}

const PlannedCallRef = builder.objectRef<PlannedCall>('PlannedCall').implement({
  description: 'The calls to one route of the Postman API that an operation may make.',
  fields: (t) => ({
    path: t.exposeString('path', {
      nullable: false,
      description:
        'Template of the route, for example `/collections/{uid}`. Reads of a collection with and without its ' +
        'tree are counted together.',
    }),
    atLeast: t.exposeInt('atLeast', {
      nullable: false,
      description:
        'The number of different calls to this route that are certainly made. Cached responses need no call and ' +
        'are not counted.',
    }),
    atMost: t.exposeInt('atMost', {
      nullable: false,
      description:
        'The most calls to this route that may be made, if lists of unknown length are as long as the page ' +
        'requested and every object named exists.',
    }),
    likely: t.exposeInt('likely', {
      nullable: false,
      description:
        'The number of calls to this route that are likely made, between `atLeast` and `atMost`. If ' +
        `\`likelyCost\` is below ${LARGEST_COST}, it is the sum over all entries.`,
    }),
    forFields: t.stringList({
      nullable: false,
      description:
        'Selected fields that these calls serve, as schema coordinates, for example `Collection.description`: ' +
        'fields whose values the response carries, and fields that find or list the objects on which those are ' +
        'selected. A field that several routes can serve appears in the entry of each.',
      resolve: ({ forFields }) => [...forFields],
    }),
  }),
});

const SpentCallsRef = builder.objectRef<SpentRow>('SpentCalls').implement({
  description: 'Calls to Postman that operations of one name from one client program made with the API key in use.',
  fields: (t) => ({
    operation: t.exposeString('operation', {
      nullable: true,
      description:
        'Name of the operation, at most 64 characters; null for operations without a name. `(other)` in the last ' +
        'row, if that row stands for all others.',
    }),
    client: t.exposeString('client', {
      nullable: true,
      description:
        'Name of the client program, at most 64 characters, from the header `apollographql-client-name` or ' +
        '`graphql-client-name`; null if it sends neither. `(other)` in the row of all others.',
    }),
    calls: t.exposeInt('calls', {
      nullable: false,
      description:
        'Calls that have ended, retries and revalidations included. A call that several operations share is ' +
        'counted once, for the one that started it.',
    }),
  }),
});

const inFuture = (inMs: number, { clock }: Context) => new Date(clock.epochMs() + inMs).toISOString();

/** GraphQL type `RateLimit`. */
export const RateLimitRef = builder.objectRef<RateLimitSnapshot>('RateLimit').implement({
  description:
    'The current budget of upstream calls of the API key in use, and the part of it that this operation may ' +
    'take. Everyone who uses the key through this server shares the budget. The server lowers it when ' +
    "Postman's responses show that the key is also used elsewhere.",
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'The number of calls allowed per window.' }),
    windowSeconds: t.int({
      nullable: false,
      description: 'Length of the window in seconds.',
      resolve: ({ windowMs }) => Math.ceil(windowMs / 1_000),
    }),
    remaining: t.exposeInt('remaining', {
      nullable: false,
      description:
        'The number of calls that can be sent now; 0 during a pause that Postman has asked for. If other ' +
        'fields are selected too, it is counted after their calls; in a response delivered in parts, when the ' +
        'first part was made.',
    }),
    resetAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the whole window will be free again if nothing more is sent; null before the first response from ' +
        'Postman.',
      resolve: ({ hasResponse, restoredInMs }, _args, context) =>
        hasResponse ? inFuture(restoredInMs, context) : null,
    }),
    queued: t.exposeInt('queuedCalls', {
      nullable: false,
      description: 'The number of queued calls of this key, of all operations together.',
    }),
    monthLimit: t.exposeInt('monthLimit', {
      nullable: true,
      description:
        'The number of calls per month that the Postman plan allows; null when no response from Postman has ' +
        'said so, or there is no limit.',
    }),
    monthRemaining: t.exposeInt('monthRemaining', {
      nullable: true,
      description:
        'The number of calls left in this month; null when no response from Postman has said so, or there is no ' +
        'limit.',
    }),
    cost: t.int({
      nullable: false,
      description:
        'The most calls that this operation may make, computed before it makes any; ' +
        '`extensions.upstream.calls` says how many it did make. 0 when everything is cached. ' +
        `${LARGEST_COST} stands for any larger number, and for one that takes too long to compute.`,
      resolve: async (_rateLimit, _args, { estimate }) => (await estimate()).atMost,
    }),
    costAtLeast: t.int({
      nullable: false,
      description:
        'The number of calls that this operation makes in any case, whatever Postman responds; computed before ' +
        'it makes any.',
      resolve: async (_rateLimit, _args, { estimate }) => (await estimate()).atLeast,
    }),
    likelyCost: t.int({
      nullable: false,
      description: LIKELY_COST_DESCRIPTION,
      resolve: async (_rateLimit, _args, { estimate }) => (await estimate()).likely,
    }),
    readyAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the budget would have served all calls of `cost` if they were queued now, behind all calls that ' +
        'are queued already; the current time if none is needed. Calls that depend on the response of another ' +
        'call take longer by its response time. null without `dryRun: true`, and when the monthly quota has ' +
        'too few calls left.',
      resolve: async ({ isDryRun }, _args, context) => {
        const servedInMs = isDryRun ? (await context.estimate()).servedInMs : null;
        return servedInMs === null ? null : inFuture(servedInMs, context);
      },
    }),
    likelyReadyAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'As `readyAt`, but for the calls of `likelyCost`. null without `dryRun: true`, and when the monthly ' +
        'quota has too few calls left.',
      resolve: async ({ isDryRun }, _args, context) => {
        const servedInMs = isDryRun ? (await context.estimate()).likelyServedInMs : null;
        return servedInMs === null ? null : inFuture(servedInMs, context);
      },
    }),
    plan: t.field({
      type: [PlannedCallRef],
      nullable: true,
      description:
        'The calls that this operation may make, one entry per route, ordered by path; empty when everything ' +
        'is cached. The sum of `atLeast` over all entries is `costAtLeast`; the sum of `atMost` is ' +
        `\`cost\` if that is below ${LARGEST_COST}. null without \`dryRun: true\`.`,
      resolve: async ({ isDryRun }, _args, { estimate }) => (isDryRun ? [...(await estimate()).plan] : null),
    }),
  }),
});

builder.objectField(RateLimitRef, 'spentBy', (t) =>
  t.field({
    type: [SpentCallsRef],
    nullable: true,
    description:
      'Which operations made the calls of the key in use through this server in the last hour (in steps of five ' +
      'minutes): the 20 that made most, largest first, and all others as one row. null without an access token ' +
      "if the request uses the server's own Postman key.\nCost: nothing.",
    resolve: (_rateLimit, _args, { spentBy }) => {
      const rows = spentBy();
      return rows && [...rows];
    },
  }),
);
