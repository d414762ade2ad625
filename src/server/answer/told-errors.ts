import type { ExecutionResult, GraphQLError } from 'graphql';
import { type AnswerPart, errorsOf } from '../incremental/incremental.ts';
import type { RequestRecord } from '../request-record.ts';

/**
 * Notes the errors of an answer that comes as a whole, and leaves in it those that its client is to be told of.
 *
 * @returns The answer with them, and with `extensions.errorsByCause` where there are any.
 */
export function withToldErrors<Result extends ExecutionResult>(record: RequestRecord, result: Result): Result {
  if (!result.errors) return result;
  const told = tellErrors(record, result.errors);
  const errorsByCause = record.errorsByCause.list();
  return {
    ...result,
    // As they are written: of each error proper Yoga makes another one. Those of requests that are not executed tell it the status.
    errors: 'data' in result ? told.map((error) => error.toJSON()) : told,
    ...(errorsByCause && { extensions: { ...result.extensions, errorsByCause } }),
  };
}

/** The same for a part of an answer; its last part says the causes of all. */
export function withToldPartErrors(record: RequestRecord, part: AnswerPart): AnswerPart {
  const told = new Set(tellErrors(record, errorsOf(part)));
  const leaveTold = <Told extends Pick<AnswerPart, 'errors'>>({ errors, ...rest }: Told) => {
    const left = errors?.filter((error) => told.has(error)) ?? [];
    return { ...rest, ...(left.length > 0 && { errors: left }) };
  };
  return { ...leaveTold(part), ...(part.incremental && { incremental: part.incremental.map(leaveTold) }) };
}

/**
 * Where the budget has refused calls it is the earliest of their times: what can be had by then is cached for what comes later, and whoever waited for
 * the last would find the first grown old. Otherwise it is the last: before then Postman would be asked in vain.
 */
function noteRetryAfter(record: RequestRecord, seconds: number, limitedBy: unknown): void {
  const { retryAfterSeconds = seconds, hasRoomLater } = record;
  if (limitedBy === 'facade' || limitedBy === 'operation') {
    record.retryAfterSeconds = hasRoomLater ? Math.min(seconds, retryAfterSeconds) : seconds;
    record.hasRoomLater = true;
  } else if (!hasRoomLater) record.retryAfterSeconds = Math.max(seconds, retryAfterSeconds);
}

function tellErrors(record: RequestRecord, errors: readonly GraphQLError[]): readonly GraphQLError[] {
  const told = record.errorsByCause.tell(errors);
  for (const { extensions } of errors) {
    const code = extensions?.['code'];
    const name = typeof code === 'string' ? code : 'none';
    record.errorCodes.set(name, (record.errorCodes.get(name) ?? 0) + 1);
    const seconds = extensions?.['retryAfterSeconds'];
    if (typeof seconds === 'number') noteRetryAfter(record, seconds, extensions?.['limitedBy']);
  }
  return told;
}
