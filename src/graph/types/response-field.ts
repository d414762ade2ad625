import type { Loaders } from '../../loaders/loaders.ts';
import type { Context } from '../context.ts';

/**
 * Makes resolvers of fields that one answer about their object carries.
 *
 * @param knownOf - What the object came with; undefined: not enough.
 * @param load - Reads the answer that all such fields share.
 * @returns A function from what a field takes of the answer to its resolver.
 */
export function responseField<Node, Loaded>(
  knownOf: (node: Node) => Loaded | undefined,
  load: (node: Node, loaders: Loaders) => Promise<Loaded | null>,
) {
  return <T>(pick: (loaded: Loaded) => T | null) =>
    (node: Node, _args: unknown, { loaders }: Context): T | null | Promise<T | null> => {
      const known = knownOf(node);
      if (known !== undefined) return pick(known);
      return load(node, loaders).then((loaded) => (loaded === null ? null : pick(loaded)));
    };
}
