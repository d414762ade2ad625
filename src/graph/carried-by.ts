import type { Level } from '../loaders/levels.ts';

/** The types that upstream answers at several levels. */
export type LeveledType = 'Workspace' | 'Collection' | 'Environment';

// What one more call costs, said once for all fields that can need it.
const costs: Readonly<Record<LeveledType, Partial<Record<Level, string>>>> = {
  Workspace: {
    summary: 'nothing on a listed workspace, else one `GET /workspaces/{id}` shared by all such fields',
    detail: 'one `GET /workspaces/{id}` per workspace, shared by all such fields',
  },
  Collection: {
    summary: 'a list: one `GET /collections` for all collections of a page, or one more call for a single collection',
    minimal:
      'one `GET /collections/{uid}?model=minimal` per collection, shared by all such fields; none beside the tree',
    detail: 'one `GET /collections/{uid}` per collection, shared by everything of the collection',
  },
  Environment: {
    summary: 'a list: one `GET /environments` for all environments of a page; none beside `values`',
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
 * @returns Options for the Pothos field.
 */
export function carriedBy(type: LeveledType, levels: readonly Level[], description: string) {
  const cost = levels[0] && costs[type][levels[0]];
  return {
    description: cost ? `${description}\n\nCost: ${cost}.` : description,
    extensions: { carriedBy: levels },
  };
}
