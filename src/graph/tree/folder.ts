import { authOf } from '../../upstream/collection-format/tree/item.ts';
import { scriptsOf } from '../../upstream/collection-format/fields/scripts.ts';
import { variablesOf } from '../../upstream/collection-format/fields/variables.ts';
import { AuthRef } from './auth.ts';
import {
  FolderConnectionRef,
  folderListArgs,
  RequestConnectionRef,
  requestListArgs,
  toFolderPage,
  toRequestPage,
} from './lists.ts';
import { NodeRef } from '../refs.ts';
import { CollectionItemRef, FolderRef } from './refs.ts';
import { ScriptRef } from './script.ts';
import { VariableRef } from './variable.ts';

FolderRef.implement({
  description: 'A folder of a collection. It can hold requests and other folders.',
  interfaces: [NodeRef, CollectionItemRef],
  fields: (t) => ({
    items: t.field({
      type: [CollectionItemRef],
      nullable: false,
      description: 'Folders and requests directly in the folder, in order; empty when there are none.',
      resolve: ({ items }) => items,
    }),
    folders: t.field({
      type: FolderConnectionRef,
      nullable: false,
      description: 'Every folder below this folder at any depth, in depth-first order.',
      args: folderListArgs(),
      resolve: ({ tree, firstFolder, endFolder }, args, context) =>
        toFolderPage(tree.folders.slice(firstFolder, endFolder), args, context),
    }),
    requests: t.field({
      type: RequestConnectionRef,
      nullable: false,
      description: 'Every request below this folder at any depth, in depth-first order.',
      args: requestListArgs(),
      resolve: ({ tree, firstRequest, endRequest }, args, context) =>
        toRequestPage(tree.requests.slice(firstRequest, endRequest), args, context),
    }),
    auth: t.field({
      type: AuthRef,
      nullable: true,
      description:
        'How requests below this folder authenticate, unless they or a folder in between define their own. ' +
        'null when the folder defines none and those above apply.',
      resolve: authOf,
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: false,
      description: 'Variables for the requests below this folder; empty when there are none.',
      resolve: ({ json }) => variablesOf(json),
    }),
    scripts: t.field({
      type: [ScriptRef],
      nullable: false,
      description: 'Scripts that run for every request below this folder; empty when there are none.',
      resolve: ({ json }) => scriptsOf(json),
    }),
  }),
});
