import type { Loaders } from '../../loaders/loaders.ts';
import type { Context } from '../context.ts';

/**
 * Makes resolvers of fields that one upstream response about their object carries.
 *
 * @param knownOf - Returns what the object came with, or undefined if that does not carry the fields.
 * @param load - Reads the response that all these fields share; null when the object does not exist.
 * @returns A function that takes a `pick` function, from the response to the field's value, and returns the resolver.
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
