import type { Level, LeveledType } from '../../upstream/postman/levels.ts';
import type { PostmanRoute } from '../../upstream/postman/postman-call.ts';
import type { RouteTemplate } from '../../upstream/postman/routes.ts';

/** How descriptions name a GET. @param query - Of a call with parameters: these, with their question mark. */
export const toGet = ({ template }: PostmanRoute, query = '') => `\`GET ${template}${query}\``;

/**
 * Makes what declares, once, which upstream answers carry a field of one type. The loaders' choice of call, the look-ahead and the `Cost:` line
 * of the description are read off this.
 *
 * @param costs - What a field can cost, by the levels that carry it.
 * @returns A function from the levels that carry a field (cheapest first), its description without its cost, and the routes that it reads
 *   by itself, to options for the Pothos field. The description of a field that reads routes says what it costs.
 */
export function createCarriedBy(type: LeveledType, costs: Readonly<Record<string, string>>) {
  return (levels: readonly Level[], description: string, routes: readonly RouteTemplate[] = []) => {
    const isFree = levels.includes('ref') || routes.length > 0;
    const cost = isFree ? undefined : costs[levels.join(' ')];
    if (!isFree && cost === undefined)
      throw new TypeError(`Nothing says what ${levels.join()} of a ${type} costs, or reads`);
    return {
      description: cost ? `${description}\n\nCost: ${cost}.` : description,
      extensions: { carriedBy: levels, reads: routes },
    };
  };
}
