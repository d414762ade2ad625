import { GraphQLError } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Clock } from '../../upstream/clock.ts';
import { type AnswerPart, mapIncrementErrors, mapParts, withErrors } from './incremental.ts';
import { toRateLimitFields } from '../http/rate-limit-fields.ts';
import { type RequestRecord, toCost } from '../request-record.ts';
import { withToldPartErrors } from '../answer/told-errors.ts';

/** What the delivery of answers in parts is made with. */
export interface PartsDeliveryOptions {
  readonly clock: Clock;
  readonly maskError: MaskError;
  readonly isSandbox: boolean;
  /** Is told once when the answer to a request has come to its end, whichever that is. */
  readonly onEnd: (record: RequestRecord) => void;
}

/** The refusal of an answer in parts to a client that accepts none. */
export const TAKES_NO_PARTS = {
  status: 406,
  code: 'BAD_REQUEST',
  message:
    'The answer to an operation with @defer or @stream comes in parts: accept multipart/mixed or text/event-stream.',
} as const;

/** The same as an error of GraphQL. */
export function toTakesNoParts(): GraphQLError {
  const { message, code, status } = TAKES_NO_PARTS;
  return new GraphQLError(message, { extensions: { code, retryable: false, http: { status } } });
}

/** Makes what sees each part of an answer on its way out: its errors are masked, and the last one says what headers say of an answer that comes at once. */
export function createPartsDelivery({ clock, maskError, isSandbox, onEnd }: PartsDeliveryOptions) {
  const toMasked = (error: unknown) => maskError(error, 'Unexpected error.', false) as GraphQLError;

  const toLastWords = (record: RequestRecord) => {
    const snapshot = record.tenant?.keyBudget.view.snapshot();
    const fields = snapshot && toRateLimitFields(snapshot);
    const errorsByCause = record.errorsByCause.list(clock.epochMs());
    return {
      ...(errorsByCause && { errorsByCause }),
      upstream: toCost(record, isSandbox),
      ...(fields && { rateLimit: fields.rateLimit, rateLimitPolicy: fields.policy }),
      ...(record.retryAfterSeconds !== undefined && { retryAfterSeconds: record.retryAfterSeconds }),
    };
  };

  return (record: RequestRecord, parts: AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart> => {
    const toLastPart = (part: AnswerPart): AnswerPart => ({
      ...part,
      hasNext: false,
      extensions: { ...part.extensions, ...toLastWords(record) },
    });
    return mapParts(parts, {
      map(part) {
        // An execution that has been ended has the same part again and again.
        const isLast = part.hasNext === false || record.stopExecution.signal.aborted;
        const masked = mapIncrementErrors(part, toMasked);
        const whole = isLast ? withErrors(masked, record.unread.map(toMasked)) : masked;
        const told = withToldPartErrors(record, whole);
        return isLast ? toLastPart(told) : told;
      },
      onFailure(error) {
        return toLastPart(withToldPartErrors(record, { errors: [toMasked(error)] }));
      },
      onEnd: () => onEnd(record),
      stopped: record.stopExecution.signal,
      clock,
    });
  };
}
