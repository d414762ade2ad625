import { collectionAuth } from '../upstream/collection-format/item.ts';
import type { CollectionTree } from '../upstream/collection-format/collection-tree.ts';
import { toDescription } from '../upstream/collection-format/description.ts';
import { toFormatVersion } from '../upstream/collection-format/format-version.ts';
import { toWritableItems } from '../upstream/collection-format/json.ts';
import { maskItems } from '../upstream/collection-format/mask-secrets.ts';
import { scriptsOf } from '../upstream/collection-format/scripts.ts';
import { variablesOf } from '../upstream/collection-format/variables.ts';
import type { CollectionDetail, CollectionSummary, Fork } from '../upstream/postman/collections.ts';
import { toIdOfUid, toOwnerOfUid } from '../upstream/uid.ts';
import { builder } from './builder.ts';
import { carriedBy } from './carried-by.ts';
import { connectionType } from './connection.ts';
import type { Context } from './context.ts';
import { lookUpCollection, toAsked } from './look-up.ts';
import { reads } from './reads.ts';
import { type CollectionNode, CollectionRef, WorkspaceRef } from './refs.ts';
import { AuthRef } from './tree/auth.ts';
import { toJsonAnswer } from './tree/json-answer.ts';
import {
  FolderConnectionRef,
  folderListArgs,
  RequestConnectionRef,
  requestListArgs,
  toFolderPage,
  toRequestPage,
} from './tree/lists.ts';
import { CollectionItemRef } from './tree/refs.ts';
import { ScriptRef } from './tree/script.ts';
import { VariableRef } from './tree/variable.ts';

const everywhere = ['ref', 'summary', 'minimal', 'detail'] as const;
const notInRefs = ['summary', 'minimal', 'detail'] as const;
const inReads = ['minimal', 'detail'] as const;
const inTree = ['detail'] as const;

/** Its uid, also where it was looked up by its bare id. */
function uidOf({ uid, known }: CollectionNode): string {
  return known?.uid ?? uid;
}

/** Answers from the list item the node came with, else from the cheapest answer that all such fields share. */
function fromSummary<T>(
  pick: (collection: CollectionSummary) => T | null,
  levels: readonly (typeof notInRefs)[number][] = notInRefs,
) {
  return ({ uid, known }: CollectionNode, _args: unknown, { loaders }: Context): T | null | Promise<T | null> =>
    known && 'updatedAt' in known
      ? pick(known)
      : loaders
          .collectionByUid({ uid, levels, ...(known?.name != null && { name: known.name }) })
          .then((loaded) => loaded && pick(loaded));
}

async function readDetail({ uid }: CollectionNode, levels: typeof inReads | typeof inTree, { loaders }: Context) {
  // A level other than summary is always answered by a single read.
  return (await loaders.collectionByUid({ uid, levels })) as CollectionDetail | null;
}

function fromRead<T>(pick: (collection: CollectionDetail) => T | null) {
  return async (node: CollectionNode, _args: unknown, context: Context): Promise<T | null> => {
    const detail = await readDetail(node, inReads, context);
    return detail && pick(detail);
  };
}

/** Reads the whole collection. Parsing a large one blocks everybody else, so they get a round before fields are answered from it. */
async function readWhole(node: CollectionNode, context: Context): Promise<CollectionDetail | null> {
  const detail = await readDetail(node, inTree, context);
  await context.slices.pause();
  return detail;
}

async function readTree(node: CollectionNode, context: Context): Promise<CollectionTree | null> {
  const detail = await readWhole(node, context);
  return detail && context.treeOf(detail);
}

const ForkInfoRef = builder.objectRef<Fork>('ForkInfo').implement({
  description: 'Where a forked collection came from.',
  fields: (t) => ({
    label: t.exposeString('label', {
      nullable: true,
      description: 'Label the fork was given when it was made; null when Postman does not say.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the fork was made; null when Postman does not say.',
    }),
    parentUid: t.exposeID('parentUid', {
      nullable: true,
      description: 'Uid of the collection it was forked from; null when Postman does not say.',
    }),
    parent: t.field({
      type: CollectionRef,
      nullable: true,
      description:
        'The collection it was forked from; null when the key may not see it.\n\nCost: as `Query.collection`, by what is selected on it.',
      ...reads('/collections/{uid}', '/collections'),
      resolve: ({ parentUid }, _args, context, info) =>
        parentUid === null ? null : lookUpCollection(context, parentUid, toAsked(info)),
    }),
  }),
});

CollectionRef.implement({
  description: 'A Postman collection: requests in folders, with saved examples, scripts, variables and authorization.',
  fields: (t) => ({
    id: t.id({
      nullable: false,
      ...carriedBy(
        'Collection',
        everywhere,
        'Id of the collection, a UUID. Forks and copies can share it; it is looked up by `uid`.',
      ),
      resolve: ({ uid, known }) => known?.id ?? toIdOfUid(uid),
    }),
    uid: t.id({
      nullable: false,
      ...carriedBy('Collection', everywhere, 'Unique id across all of Postman: `<ownerId>-<id>`.'),
      resolve: uidOf,
    }),
    name: t.string({
      nullable: true,
      ...carriedBy('Collection', everywhere, 'Name of the collection, null when it has none. Names are not unique.'),
      resolve: (node, args, context) =>
        node.known?.name !== undefined ? node.known.name : fromSummary(({ name }) => name ?? null)(node, args, context),
    }),
    description: t.string({
      nullable: true,
      ...carriedBy('Collection', inReads, 'Description, usually Markdown; null when it has none.'),
      resolve: fromRead(({ description }) => toDescription(description)),
    }),
    ownerId: t.id({
      nullable: true,
      ...carriedBy(
        'Collection',
        everywhere,
        'User id of the owner, read from the uid; null when a bare id took its place.',
      ),
      resolve: (node) => toOwnerOfUid(uidOf(node)),
    }),
    isPublic: t.boolean({
      nullable: true,
      ...carriedBy(
        'Collection',
        ['summary'],
        'Whether everybody can see the collection; null when no list of the key has it.',
      ),
      resolve: fromSummary(({ isPublic }) => isPublic ?? null, ['summary']),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy('Collection', notInRefs, 'When the collection was made; null when Postman does not say.'),
      resolve: fromSummary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(
        'Collection',
        notInRefs,
        'When anything in the collection was last changed; null when Postman does not say.',
      ),
      resolve: fromSummary(({ updatedAt }) => updatedAt),
    }),
    lastUpdatedBy: t.id({
      nullable: true,
      ...carriedBy(
        'Collection',
        inReads,
        'User id of whoever last changed the collection; null when Postman does not say.',
      ),
      resolve: fromRead(({ lastUpdatedBy }) => lastUpdatedBy),
    }),
    fork: t.field({
      type: ForkInfoRef,
      nullable: true,
      ...carriedBy('Collection', notInRefs, 'Where the collection was forked from; null when it is no fork.'),
      resolve: fromSummary(({ fork }) => fork),
    }),
    formatVersion: t.string({
      nullable: true,
      ...carriedBy(
        'Collection',
        inTree,
        'Version of the Collection Format it is written in, for example `2.1.0`; null when it does not say.',
      ),
      resolve: async (node, _args, context) => {
        const detail = await readDetail(node, inTree, context);
        return detail && toFormatVersion(detail.document);
      },
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: true,
      ...carriedBy(
        'Collection',
        inReads,
        'Variables of the collection; null only when the collection cannot be read. Values of secrets are withheld unless the server reveals secrets.',
      ),
      resolve: fromRead(({ document }) => variablesOf(document)),
    }),
    auth: t.field({
      type: AuthRef,
      nullable: true,
      ...carriedBy(
        'Collection',
        inReads,
        'Authorization that requests inherit when neither they nor their folders have their own; null when there is none.',
      ),
      resolve: fromRead(({ document }) => collectionAuth(document)),
    }),
    scripts: t.field({
      type: [ScriptRef],
      nullable: true,
      ...carriedBy(
        'Collection',
        inReads,
        'Scripts that run before and after every request of the collection; null only when the collection cannot be read.',
      ),
      resolve: fromRead(({ document }) => scriptsOf(document)),
    }),
    items: t.field({
      type: [CollectionItemRef],
      nullable: true,
      ...carriedBy(
        'Collection',
        inTree,
        'Top level of the tree, in order: folders and requests; null only when the collection cannot be read.',
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
        'Collection',
        inTree,
        'Every folder of the tree, depth first, in order; null only when the collection cannot be read.',
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
        'Collection',
        inTree,
        'Every request of the tree, depth first, in order, wherever it is nested; null only when the collection cannot be read.',
      ),
      resolve: async (node, args, context) => {
        const tree = await readTree(node, context);
        return tree && toRequestPage(tree.requests, args, context);
      },
    }),
    workspace: t.field({
      type: WorkspaceRef,
      nullable: true,
      ...carriedBy(
        'Collection',
        ['own'],
        'The workspace that holds the collection; where several do, the first Postman names. null when the key sees none.\n\nCost: one `GET /workspaces?elementType=collection&elementId=` per collection.',
        ['/workspaces'],
      ),
      resolve: async (node, _args, { loaders }) => {
        const summary = await loaders.workspaceOfCollection(uidOf(node));
        return summary && { id: summary.id, summary };
      },
    }),
    json: t.field({
      type: 'JSON',
      nullable: true,
      ...carriedBy(
        'Collection',
        inTree,
        'The collection as Postman sent it, with everything that has no field here. Secrets are withheld as everywhere else. null only when the collection cannot be read.',
      ),
      resolve: async (node, _args, context) => {
        const detail = await readWhole(node, context);
        if (!detail) return null;
        const { document } = detail;
        return toJsonAnswer(() =>
          context.slices.run(context.revealSecrets ? toWritableItems(document) : maskItems(document)),
        );
      },
    }),
  }),
});

/** GraphQL type `CollectionConnection`. */
export const CollectionConnection = connectionType('Collection', CollectionRef, 'collections');
