import { createHash } from 'node:crypto';
import type { CollectionDocument, CollectionNode, ExampleNode } from './collection-format.ts';

/** The values from which the ids, uids and dates of a collection's nodes are made. */
export interface Stamp {
  readonly collectionId: string;
  /** User id, the first part of every uid. */
  readonly owner: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/**
 * Adds the ids, uids and dates of the service to folders, requests and saved responses. Ids are made from the
 * collection's id and the position in the tree, so they are the same in every process; existing ids stay.
 */
export function stampDocument(document: CollectionDocument, stamp: Stamp): CollectionDocument {
  return {
    ...document,
    item: document.item.map((node, index) => stampNode(node, stamp, `${stamp.collectionId}/${index}`)),
  };
}

function stampNode(node: CollectionNode, stamp: Stamp, path: string): CollectionNode {
  const stamped = { ...toStamps(node.id, stamp, path), ...node };
  if ('item' in node)
    return { ...stamped, item: node.item.map((child, index) => stampNode(child, stamp, `${path}/${index}`)) };
  if (node.response === undefined) return stamped;
  const response = node.response.map(
    (example, index): ExampleNode => ({ ...toStamps(example.id, stamp, `${path}/response/${index}`), ...example }),
  );
  return { ...stamped, response };
}

function toStamps(knownId: string | undefined, stamp: Stamp, path: string) {
  const id = knownId ?? toUuid(path);
  return { id, uid: `${stamp.owner}-${id}`, createdAt: stamp.createdAt, updatedAt: stamp.updatedAt };
}

/** A UUID with the digits of version 5, hashed from the path alone, without a namespace. */
function toUuid(path: string): string {
  const hex = createHash('sha1').update(path).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
