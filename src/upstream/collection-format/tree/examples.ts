import { examplesOf } from '../fields/example.ts';
import type { JsonObject } from '../syntax/json.ts';
import type { RequestItem } from './collection-tree.ts';
import { usableIdOf } from './item-id.ts';

/** A response that was saved with a request. */
export interface ExampleItem {
  readonly kind: 'example';
  readonly request: RequestItem;
  /** The example as Postman sent it. */
  readonly json: JsonObject;
  readonly key: ExampleKey;
}

/**
 * Identifies an example within its request: its own id; its position, from 0, if it has none of at most 500 characters,
 * or that of an earlier example.
 */
export type ExampleKey = string | number;

/** Returns the examples of a request, in order. */
export function toExamples(request: RequestItem): ExampleItem[] {
  const used = new Set<string>();
  return examplesOf(request.json).map((json, position) => {
    const id = usableIdOf(json);
    const key = id === null || used.has(id) ? position : id;
    if (id !== null) used.add(id);
    return { kind: 'example', request, json, key };
  });
}
