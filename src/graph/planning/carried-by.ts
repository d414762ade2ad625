import type { Level } from '../../upstream/postman/levels.ts';
import type { CarriedType, PostmanRoute } from '../../upstream/postman/postman-call.ts';
import type { RouteTemplate } from '../../upstream/postman/routes.ts';

/**
 * Returns how descriptions name a GET.
 *
 * @param query - Query parameters of the call, with the question mark.
 */
export const toGet = ({ template }: PostmanRoute, query = '') => `\`GET ${template}${query}\``;

/**
 * Makes a function that declares which upstream responses carry a field of one type. This is the only declaration:
 * the loaders' choice of call, the look-ahead and the `Cost:` line of the description are derived from it.
 *
 * @param costs - Text of the `Cost:` line, by the levels that carry the field, joined by spaces.
 * @returns A function that returns options for the Pothos field. Its arguments: the levels that carry the field,
 *   cheapest first; its description without the `Cost:` line; the routes that the field itself reads. The description
 *   of a field that reads routes must contain its own `Cost:` line. The line is in the first paragraph, because
 *   GraphiQL shows nothing else of a field on the page of its type.
 */
export function createCarriedBy(type: CarriedType['type'], costs: Readonly<Record<string, string>>) {
  return (levels: readonly Level[], description: string, routes: readonly RouteTemplate[] = []) => {
    const needsNoCostLine = levels.includes('ref') || routes.length > 0;
    const cost = needsNoCostLine ? undefined : costs[levels.join(' ')];
    if (!needsNoCostLine && cost === undefined)
      throw new TypeError(`No cost is declared for fields of ${type} carried by ${levels.join()}`);
    return {
      description: cost ? `${description}\nCost: ${cost}.` : description,
      extensions: { carriedBy: levels, reads: routes },
    };
  };
}
