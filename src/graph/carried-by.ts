import type { Level, LeveledType } from '../upstream/postman/levels.ts';
import type { RouteTemplate } from '../upstream/postman/routes.ts';

// What a field can cost, by the levels that carry it, said once for all fields alike.
const costs: Readonly<Record<LeveledType, Readonly<Record<string, string>>>> = {
  Workspace: {
    'summary detail': 'nothing on a listed workspace, else one `GET /workspaces/{id}` shared by all such fields',
    detail: 'one `GET /workspaces/{id}` per workspace, shared by all such fields',
  },
  Collection: {
    summary:
      'in a list, one `GET /collections` for every 99; for a single collection, one more call to find it in a list',
    'summary minimal detail':
      'nothing beside a field that has the list or the collection read; else, in a list, one `GET /collections` for every 99, and for a single collection one `GET /collections/{uid}?model=minimal`',
    'minimal detail':
      'one `GET /collections/{uid}?model=minimal` per collection, shared by all such fields; nothing beside the tree',
    detail: 'one `GET /collections/{uid}` per collection, shared by everything of the collection',
  },
  Environment: {
    'summary detail':
      'nothing beside `values`; else, in a list, one `GET /environments`, and for a single environment one `GET /environments/{uid}`',
    detail: 'one `GET /environments/{uid}` per environment',
  },
};

/**
 * Declares, once, which upstream answers carry a field. The loaders' choice of call, the look-ahead and the `Cost:` line of
 * the description are read off this.
 *
 * @param type - Type of the field's parent.
 * @param levels - Every level that carries the field, cheapest first. `own`: its description says what it costs.
 * @param description - The field's description without its cost.
 * @param routes - Of a field of level `own`: the routes it reads.
 * @returns Options for the Pothos field.
 */
export function carriedBy(
  type: LeveledType,
  levels: readonly Level[],
  description: string,
  routes: readonly RouteTemplate[] = [],
) {
  const isFree = levels.includes('ref') || levels.includes('own');
  const cost = isFree ? undefined : costs[type][levels.join(' ')];
  if (!isFree && cost === undefined) throw new TypeError(`Nothing says what ${levels.join()} of a ${type} costs`);
  if (levels.includes('own') !== routes.length > 0)
    throw new TypeError(`Which routes ${levels.join()} of a ${type} reads`);
  return {
    description: cost ? `${description}\n\nCost: ${cost}.` : description,
    extensions: { carriedBy: levels, reads: routes },
  };
}
