import type { OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { OperationPlan, RetainedPlans } from '../../graph/execution/field-plan.ts';

/**
 * Creates the store of the plans of queries. A plan lives as long as its document, which the cache of documents
 * decides, or until the plans used after it take the whole size.
 *
 * @param maxSize - Fields and document nodes of all plans, of some 600 bytes each.
 */
export function createRetainedPlans(maxSize: number): RetainedPlans {
  // A plan refers to its document with the whole text, so nothing here may refer to a plan but its own document.
  const plans = new WeakMap<OperationDefinitionNode, { readonly plan: OperationPlan; readonly key: object }>();
  const operations = new LRUCache<object, WeakRef<OperationDefinitionNode>>({
    maxSize,
    dispose(reference, _, reason) {
      const operation = reason === 'evict' && reference.deref();
      if (operation) plans.delete(operation);
    },
  });
  return {
    get(operation) {
      const retained = plans.get(operation);
      if (retained) operations.get(retained.key);
      return retained?.plan;
    },
    set(operation, plan, size) {
      const key = plans.get(operation)?.key ?? {};
      plans.set(operation, { plan, key });
      operations.set(key, new WeakRef(operation), { size });
      // The cache refuses an entry that is larger than all of it.
      if (!operations.has(key)) plans.delete(operation);
    },
    grow(operation, size) {
      const retained = plans.get(operation);
      if (retained) this.set(operation, retained.plan, size);
    },
  };
}
