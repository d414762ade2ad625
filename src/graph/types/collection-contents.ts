import type { CollectionTree } from '../../upstream/collection-format/tree/collection-tree.ts';
import { toFormatVersion } from '../../upstream/collection-format/tree/format-version.ts';
import { maskItems, toWritableItems } from '../../upstream/collection-format/masking/mask-secrets.ts';
import { type CollectionDetail, collectionRoute } from '../../upstream/postman/resources/collections.ts';
import { environmentRoute } from '../../upstream/postman/resources/environments.ts';
import { builder } from '../builder.ts';
import { fromRead } from './child-type.ts';
import { carriedBy } from './collection.ts';
import type { Context } from '../context.ts';
import { toGet } from '../planning/carried-by.ts';
import { COST_OF_FILTER, environmentReader } from '../planning/environment-reader.ts';
import { type CollectionNode, childRefs } from '../refs.ts';
import { toJsonValue, toSettings } from '../tree/json-field.ts';
import {
  FolderConnectionRef,
  folderListArgs,
  RequestConnectionRef,
  requestListArgs,
  toFolderPage,
  toRequestPage,
} from '../tree/lists.ts';
import { CollectionItemRef } from '../tree/refs.ts';

const inTree = ['detail'] as const;
const read = fromRead('Collection', inTree);
const wholeOf = read((detail) => detail);

/**
 * Reads the whole collection. Parsing a large one blocks the event loop, so other work gets one round of the loop
 * before fields of the collection are resolved.
 */
async function readWhole(node: CollectionNode, context: Context): Promise<CollectionDetail | null> {
  const detail = await wholeOf(node, {}, context);
  await context.slices.pause();
  return detail;
}

async function readTree(node: CollectionNode, context: Context): Promise<CollectionTree | null> {
  const detail = await readWhole(node, context);
  return detail && context.treeOf(detail);
}

builder.objectFields(childRefs.Collection, (t) => ({
  formatVersion: t.string({
    nullable: true,
    ...carriedBy(
      inTree,
      'Version of the Collection Format the collection is written in, for example `2.1.0`; null when it names none.',
    ),
    resolve: read(({ document }) => toFormatVersion(document)),
  }),
  settings: t.field({
    type: 'JSON',
    nullable: true,
    ...carriedBy(
      inTree,
      'Settings for sending every request of the collection, as saved (`protocolProfileBehavior`); null when it has ' +
        'none.',
    ),
    resolve: async (node, _args, context) => {
      const detail = await readWhole(node, context);
      return detail && toSettings(detail.document.protocolProfileBehavior, context.revealSecrets);
    },
  }),
  items: t.field({
    type: [CollectionItemRef],
    nullable: true,
    ...carriedBy(
      inTree,
      'Folders and requests at the top level of the tree, in order; null only when the collection cannot be read.',
    ),
    resolve: async (node, _args, context) => {
      const tree = await readTree(node, context);
      return tree?.items;
    },
  }),
  folders: t.field({
    type: FolderConnectionRef,
    nullable: true,
    args: folderListArgs(),
    ...carriedBy(
      inTree,
      'Every folder of the tree at any depth, in depth-first order; null only when the collection cannot be read.',
    ),
    resolve: async (node, args, context) => {
      const tree = await readTree(node, context);
      return tree && toFolderPage(tree.folders, args, context);
    },
  }),
  requests: t.field({
    type: RequestConnectionRef,
    nullable: true,
    args: requestListArgs(),
    ...carriedBy(
      inTree,
      'Every request of the tree at any depth, in depth-first order; null only when the collection, or an environment ' +
        'of the filter, cannot be read.\n' +
        `Cost: one ${toGet(collectionRoute)} per collection, shared by all fields of the collection; ` +
        `${COST_OF_FILTER}.`,
      [environmentRoute.template],
    ),
    resolve: async (node, args, context) => {
      const tree = await readTree(node, context);
      return tree && toRequestPage(tree.requests, args, context, environmentReader(context));
    },
  }),
  json: t.field({
    type: 'JSON',
    nullable: true,
    ...carriedBy(
      inTree,
      'The collection as Postman sent it, including what has no field in this schema. Secrets are withheld as ' +
        'in all other fields. null only when the collection cannot be read.',
    ),
    resolve: async (node, _args, context) => {
      const detail = await readWhole(node, context);
      if (!detail) return null;
      const { document } = detail;
      return toJsonValue(() =>
        context.slices.run(context.revealSecrets ? toWritableItems(document) : maskItems(document)),
      );
    },
  }),
}));
