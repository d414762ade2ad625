import type { BudgetSnapshot } from '../../upstream/rate-limiter/budget.ts';
import { childTypes, leveledTypes } from '../../upstream/postman/levels.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { ASSUMED_SIZES, LARGEST_COST, type PlannedCall } from '../planning/estimate.ts';

/** Description of `Query.rateLimit`. */
export const RATE_LIMIT_DESCRIPTION = `The upstream budget of the API key in use, and what this operation costs of it; null without a key.

With \`dryRun: true\` beside any other fields, nothing is sent to Postman, whatever the operation is: \`cost\` and \`costAtLeast\` say what it would take, \`likelyCost\` what is likely in between, \`plan\` by which calls, \`readyAt\` and \`likelyReadyAt\` when the budget would have served them. Every other root field is left out of the answer, as by \`@skip\`. Sent again without \`dryRun\`, the same operation makes no more calls than \`cost\` and no fewer than \`costAtLeast\`, as long as

- nothing changes in the account or is forgotten by the cache in between,
- every call succeeds: one that fails may be tried again, and what hangs on it is not read,
- nobody else is having the same call made, which is then shared and costs the operation nothing,
- Postman fills the pages of its lists,
- the operation is allowed so many: past MAX_CALLS_PER_OPERATION it makes no more.

What is kept is known, lists and their lengths included, so that the two figures come closer the more is. An operation that certainly needs more calls than it may make, by what it names itself, is refused with OPERATION_TOO_EXPENSIVE before the first of them. What operations cost is found out for one after the other: where too many of the key wait, \`cost\` and \`plan\` fail with RATE_LIMITED and the time to ask again.`;

const { workspaces, forkFraction } = ASSUMED_SIZES;
const ASSUMED_LISTS = childTypes.map((type) => `${leveledTypes[type].assumedPerWorkspace} ${leveledTypes[type].list}`);
const inEnglish = new Intl.ListFormat('en');
const LIKELY_COST_DESCRIPTION = `The calls that this operation likely makes, told before it makes any: from \`costAtLeast\` to \`cost\`. It is a guess, as good as the lengths of lists that it rests on:

- lists that are cached are taken as they are, and as unchanged where they have become too old to be served;
- others for as long as they were when they were last read with this key: these lengths are remembered for longer than the lists;
- where none was read, for as long as those of an account of ${workspaces} workspaces, each with ${inEnglish.format(ASSUMED_LISTS)}, of which one collection in ${1 / forkFraction} is a fork. That lies between the embedded example account and that of a team.

What is named is taken for existing, a name of collections for that of one, and a filter of workspaces for one that half of them pass where they are not known.`;

/** The budget as it stands, for one field that asks. */
export interface RateLimitSnapshot extends BudgetSnapshot {
  readonly isDryRun: boolean;
}

const PlannedCallRef = builder.objectRef<PlannedCall>('PlannedCall').implement({
  description: 'The calls of one route of the Postman API that an operation can make.',
  fields: (t) => ({
    path: t.exposeString('path', {
      nullable: false,
      description:
        'Template of the route, for example `/collections/{uid}`. Collections read with their tree and without it are counted together.',
    }),
    atLeast: t.exposeInt('atLeast', {
      nullable: false,
      description: 'Calls of this route that are certainly made: different ones, what is kept not counted.',
    }),
    atMost: t.exposeInt('atMost', {
      nullable: false,
      description:
        'Calls of this route that can be made at most: lists that are not known taken for as long as was asked for, and everything named for existing.',
    }),
    likely: t.exposeInt('likely', {
      nullable: false,
      description: `Calls of this route that are likely made, from \`atLeast\` to \`atMost\`: those of all entries add up to \`likelyCost\` where that is below ${LARGEST_COST}.`,
    }),
    forFields: t.stringList({
      nullable: false,
      description:
        'Selected fields that such a call serves, as schema coordinates, for example `Collection.description`: those whose values its answer carries, and those that find or list what they are selected on. A field that several routes can serve is named with each of them.',
      resolve: ({ forFields }) => [...forFields],
    }),
  }),
});

const inFuture = (inMs: number, { clock }: Context) => new Date(clock.epochMs() + inMs).toISOString();

/** GraphQL type `RateLimit`. */
export const RateLimitRef = builder.objectRef<RateLimitSnapshot>('RateLimit').implement({
  description:
    "The budget of upstream calls of the API key in use, as it stands now, and the part of it that an operation can take. It is shared by everybody who uses the key through this server, and lowered when Postman's answers show that others use it too.",
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Calls per window.' }),
    windowSeconds: t.int({
      nullable: false,
      description: 'Length of the window in seconds.',
      resolve: ({ windowMs }) => Math.ceil(windowMs / 1_000),
    }),
    remaining: t.exposeInt('remaining', {
      nullable: false,
      description:
        'Calls that can be sent now. 0 while Postman has asked for a pause. Beside other fields: after the calls that those have made; in an answer in parts, as it stood when the first part was made.',
    }),
    resetAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When all calls of the window are free again if nothing more is sent; null before the first answer of Postman.',
      resolve: ({ hasResponse: hasAnswer, restoredInMs }, _args, context) =>
        hasAnswer ? inFuture(restoredInMs, context) : null,
    }),
    queued: t.exposeInt('queuedCalls', {
      nullable: false,
      description: 'Calls of this key that wait for their turn, of all operations together.',
    }),
    monthLimit: t.exposeInt('monthLimit', {
      nullable: true,
      description:
        "Calls a month that the plan allows; null when Postman's answers have not said, or there is no limit.",
    }),
    monthRemaining: t.exposeInt('monthRemaining', {
      nullable: true,
      description: "Calls left of the month; null when Postman's answers have not said, or there is no limit.",
    }),
    cost: t.int({
      nullable: false,
      description: `The most calls that this operation can make, told before it makes any; what it has made says \`extensions.upstream.calls\`. 0: everything is kept. ${LARGEST_COST} stands for any larger number, and for one that takes too long to foretell.`,
      resolve: async (_rateLimit, _args, { estimate }) => (await estimate()).atMost,
    }),
    costAtLeast: t.int({
      nullable: false,
      description:
        'The calls that this operation certainly makes, told before it makes any: those it makes whatever Postman answers.',
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
        'When the budget would have served all of `cost`, asked for now, behind everything that waits now: now where nothing is needed. Calls that cannot be asked for before others are answered take that much longer. null without `dryRun: true`, and where less is left of the month.',
      resolve: async ({ isDryRun }, _args, context) => {
        const servedInMs = isDryRun ? (await context.estimate()).servedInMs : null;
        return servedInMs === null ? null : inFuture(servedInMs, context);
      },
    }),
    likelyReadyAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'As `readyAt`, for `likelyCost` in place of `cost`. null without `dryRun: true`, and where less is left of the month.',
      resolve: async ({ isDryRun }, _args, context) => {
        const servedInMs = isDryRun ? (await context.estimate()).likelyServedInMs : null;
        return servedInMs === null ? null : inFuture(servedInMs, context);
      },
    }),
    plan: t.field({
      type: [PlannedCallRef],
      nullable: true,
      description: `The calls that this operation can make, one entry for each route, ordered by path; empty where everything is kept. \`atLeast\` of all entries add up to \`costAtLeast\`, and \`atMost\` to \`cost\` where that is below ${LARGEST_COST}. null without \`dryRun: true\`.`,
      resolve: async ({ isDryRun }, _args, { estimate }) => (isDryRun ? [...(await estimate()).plan] : null),
    }),
  }),
});
