import type { Context } from '../../graph/context.ts';
import type { SliceScheduler } from '../../graph/limits/time-slices.ts';
import { type CollectionTree, buildCollectionTree } from '../../upstream/collection-format/tree/collection-tree.ts';
import { countJson, type JsonObject } from '../../upstream/collection-format/syntax/json.ts';
import type { CollectionDetail } from '../../upstream/postman/resources/collections.ts';
import { runAtOnce } from '../../upstream/steps.ts';

/**
 * Makes functions that derive something from an upstream value: the tree of a collection, and the number of JSON
 * values. All operations share the results, which live as long as the value is cached or held.
 */
export function createCollectionTrees(scheduler: SliceScheduler) {
  const trees = new WeakMap<JsonObject, Promise<CollectionTree>>();
  const counts = new WeakMap<object, number>();
  const countOf = (value: object): number => {
    const count = counts.get(value) ?? runAtOnce(countJson(value));
    counts.set(value, count);
    return count;
  };

  const buildInSlices = async ({ document, uid, readAs }: CollectionDetail): Promise<CollectionTree> => {
    // No abort signal: operations share the tree, so none of them may end its construction.
    const slices = scheduler.open(uid);
    const tree = await slices.run(buildCollectionTree(document, uid, readAs));
    counts.set(document, await slices.run(countJson(document)));
    return tree;
  };

  const treeOf: Context['treeOf'] = (collection) => {
    const tree = trees.get(collection.document) ?? buildInSlices(collection);
    trees.set(collection.document, tree);
    return tree;
  };

  return {
    treeOf,
    /** The number of JSON values in a value that was read, including the document of a collection in it. */
    countValues(value: object): number {
      if (!('document' in value) || typeof value.document !== 'object' || value.document === null)
        return countOf(value);
      const { document, ...rest } = value;
      return countOf(document) + countOf(rest);
    },
  };
}
