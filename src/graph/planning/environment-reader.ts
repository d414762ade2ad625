import { environmentRoute } from '../../upstream/postman/resources/environments.ts';
import type { DetailOf } from '../../upstream/postman/routes.ts';
import type { Context } from '../context.ts';
import { ERROR_VALUES } from '../errors/bad-user-input.ts';
import { toGet } from './carried-by.ts';
import { parseIdentifier } from './identifiers.ts';

/** `Cost:` text of the filter of requests, without the full stop. */
export const COST_OF_FILTER =
  `with \`environmentUids\` in the filter, one ${toGet(environmentRoute)} for each of them, unless no request that ` +
  'meets its other conditions has variables in the URL';

/** Makes the function that reads the variables of those environments that exist. */
export function environmentReader({ loaders, resultSize }: Context) {
  return async (uids: readonly string[]): Promise<readonly unknown[]> => {
    const checked = uids.map((uid) => parseIdentifierInTree(uid, 'environmentUids', resultSize));
    const environments = await Promise.all(checked.map((uid) => readEnvironment(uid, loaders)));
    return environments.flatMap((environment) => (environment ? [environment.values] : []));
  };
}

/** Reads one environment with its variables; null if it does not exist. @throws {UpstreamError} */
export function readEnvironment(uid: string, { childByUid }: Context['loaders']) {
  return childByUid({ type: 'Environment', uid, levels: ['detail'] }) as Promise<DetailOf<'Environment'> | null>;
}

/** As `parseIdentifier`. A mistake can be repeated for each of 100,000 URLs, so each error is counted as values. */
export function parseIdentifierInTree(value: string, argument: string, resultSize: Context['resultSize']): string {
  try {
    return parseIdentifier(value, argument);
  } catch (error) {
    resultSize.search(ERROR_VALUES);
    throw error;
  }
}
