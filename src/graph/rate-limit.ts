import type { BudgetSnapshot } from '../upstream/budget.ts';
import { builder } from './builder.ts';

/** GraphQL type `RateLimit`. */
export const RateLimitRef = builder.objectRef<BudgetSnapshot>('RateLimit').implement({
  description:
    "The budget of upstream calls of the API key in use, as it stands now. It is shared by everybody who uses the key through this server, and lowered when Postman's answers show that others use it too.",
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Calls per window.' }),
    windowSeconds: t.int({
      nullable: false,
      description: 'Length of the window in seconds.',
      resolve: ({ windowMs }) => Math.ceil(windowMs / 1_000),
    }),
    remaining: t.exposeInt('remaining', {
      nullable: false,
      description: 'Calls that can be sent now. 0 while Postman has asked for a pause.',
    }),
    resetAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When all calls of the window are free again if nothing more is sent; null before the first answer of Postman.',
      resolve: ({ hasAnswer, restoredInMs }) => (hasAnswer ? new Date(Date.now() + restoredInMs).toISOString() : null),
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
  }),
});
