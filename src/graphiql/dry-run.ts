/** The cost of an operation, as a dry run predicts it. */
export interface Estimate {
  readonly likelyCost: number;
  readonly cost: number;
  readonly costAtLeast: number;
  /** RFC 3339; null when the monthly quota has too few calls left. */
  readonly likelyReadyAt: string | null;
}

const FIELD =
  'rateLimit(dryRun: true) { likelyCost cost costAtLeast likelyReadyAt readyAt plan { path likely atMost atLeast } }';
const TOKEN = /#[^\n\r]*|"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n\r])*"|[_A-Za-z]\w*|[{}()]/g;

/**
 * Adds the field of a dry run to an operation.
 *
 * @param operationName - The operation to change; undefined for the only one of the document.
 * @returns The document; undefined if it has no such operation.
 */
export function toDryRun(query: string, operationName?: string): string | undefined {
  // An operation may select the budget itself, with other arguments.
  const field = /\brateLimit\b/.test(query) ? `dryRun_: ${FIELD}` : FIELD;
  let depth = 0;
  let head: string[] = [];
  for (const { 0: token, index } of query.matchAll(TOKEN)) {
    if (token === '{' && depth === 0 && isRequested(head, operationName))
      return `${query.slice(0, index + 1)} ${field} ${query.slice(index + 1)}`;
    if (token === '{' || token === '(') depth += 1;
    else if (token === '}' || token === ')') depth -= 1;
    else if (depth === 0 && !/^[#"]/.test(token)) head.push(token);
    if (token === '}' && depth === 0) head = [];
  }
  return undefined;
}

/** Whether a definition is the operation, by the names before its selection set. */
function isRequested([keyword = 'query', name]: readonly string[], operationName: string | undefined): boolean {
  return keyword === 'query' && (operationName === undefined || operationName === name);
}

/** Finds the estimate in the data of a dry run. */
export function findEstimate(data: unknown): Estimate | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  return Object.values(data).find(
    (value: Partial<Estimate> | null): value is Estimate =>
      typeof value?.likelyCost === 'number' && typeof value.cost === 'number' && typeof value.costAtLeast === 'number',
  );
}
