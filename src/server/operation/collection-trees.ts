import type { Context } from '../../graph/context.ts';
import type { SliceScheduler } from '../../graph/limits/time-slices.ts';
import { type CollectionTree, buildCollectionTree } from '../../upstream/collection-format/tree/collection-tree.ts';
import { type JsonObject, measureJson } from '../../upstream/collection-format/syntax/json.ts';
import { runAtOnce } from '../../upstream/steps.ts';

/**
 * Makes what finds things out about values that upstream answered, once for as long as they are cached or held, whichever operations share them.
 *
 * It remembers by the value itself, so that it forgets what nobody holds any more.
 */
export function createKnownDocuments(scheduler: SliceScheduler) {
  const trees = new WeakMap<JsonObject, Promise<CollectionTree>>();
  const counts = new WeakMap<object, number>();
  const countOf = (value: object): number => {
    const count = counts.get(value) ?? runAtOnce(measureJson(value)).values;
    counts.set(value, count);
    return count;
  };

  const growTree = async (document: JsonObject, uid: string): Promise<CollectionTree> => {
    // Operations share it: none of them ends it.
    const slices = scheduler.open(uid);
    const tree = await slices.run(buildCollectionTree(document, uid));
    const { values } = await slices.run(measureJson(document));
    counts.set(document, values);
    return tree;
  };

  const treeOf: Context['treeOf'] = ({ document, uid }) => {
    const tree = trees.get(document) ?? growTree(document, uid);
    trees.set(document, tree);
    return tree;
  };

  return {
    treeOf,
    /** How many values of JSON a value that was read holds, with the document of a collection in it. */
    countValues(value: object): number {
      if (!('document' in value) || typeof value.document !== 'object' || value.document === null)
        return countOf(value);
      const { document, ...rest } = value;
      return countOf(document) + countOf(rest);
    },
  };
}
