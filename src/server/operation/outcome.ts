/**
 * How an operation ended: `ok`: without errors; `partial`: with errors, and with data; `refused`: without data, because
 * of its client or of a limit; `failed`: without data, because of Postman or this server.
 */
export type OperationOutcome = 'ok' | 'partial' | 'refused' | 'failed';

const isFailure = (code: string) => code.startsWith('UPSTREAM_') || code === 'INTERNAL_SERVER_ERROR';

/** Judges a response by the codes of its errors and by whether it has data. */
export function toOutcome(codes: Iterable<string>, hasData: boolean): OperationOutcome {
  const all = [...codes];
  if (all.length === 0) return 'ok';
  if (hasData) return 'partial';
  return all.some(isFailure) ? 'failed' : 'refused';
}

/** Whether a result has a root field that is not null. */
export function hasRootField(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.values(data).some((value) => value !== null);
}
