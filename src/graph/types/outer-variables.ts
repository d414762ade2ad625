import { type ResolvedUrl, resolveUrl } from '../../upstream/collection-format/tree/resolve-url.ts';
import { environmentRoute } from '../../upstream/postman/resources/environments.ts';
import { globalsCall, globalsRoute } from '../../upstream/postman/resources/workspaces.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { toGet } from '../planning/carried-by.ts';
import { declareRoutesOfArguments } from '../planning/declare-routes.ts';
import {
  COST_OF_FILTER,
  environmentReader,
  parseIdentifierInTree,
  readEnvironment,
} from '../planning/environment-reader.ts';
import { RequestConnectionRef, requestListArgs, SEARCHED_PER_VALUE, toRequestPage } from '../tree/lists.ts';
import { FolderRef } from '../tree/refs.ts';
import { UrlRef, type UrlOfRequest } from '../tree/url.ts';

builder.objectField(FolderRef, 'requests', (t) =>
  t.field({
    type: RequestConnectionRef,
    nullable: true,
    description:
      'Every request below this folder at any depth, in depth-first order; null only when an environment of the filter ' +
      `cannot be read.\nCost: nothing; ${COST_OF_FILTER}.`,
    ...declareRoutesOfArguments(environmentRoute.template),
    args: requestListArgs(),
    resolve: ({ tree, firstRequest, endRequest }, args, context) =>
      toRequestPage(tree.requests.slice(firstRequest, endRequest), args, context, environmentReader(context)),
  }),
);

const ResolvedUrlRef = builder.objectRef<ResolvedUrl>('ResolvedUrl').implement({
  description:
    'A URL as Postman would send it: with the values of path variables and variables in place of their names. Dynamic ' +
    'variables such as `{{$guid}}` stay.',
  fields: (t) => ({
    raw: t.exposeString('raw', {
      nullable: false,
      description:
        'The whole URL. Unresolved names stay as they were written. If this server withholds secrets, `******` stands ' +
        'for the values of withheld variables and for credentials, also those that a variable has brought in.',
    }),
    host: t.exposeString('host', {
      nullable: true,
      description:
        'Host, for example `api.example.com`; null when the URL has none, and when a part of it is unresolved or ' +
        'withheld.',
    }),
    unresolved: t.exposeStringList('unresolved', {
      nullable: false,
      description:
        'Names of the variables that could not be resolved, each once; those of path variables begin with a colon. ' +
        'Empty when all could.',
    }),
    masked: t.exposeStringList('masked', {
      nullable: false,
      description:
        'Names of the variables whose values, or parts of them, are withheld, each once; those of path variables ' +
        'begin with a colon.',
    }),
  }),
});

builder.objectField(UrlRef, 'resolved', (t) =>
  t.field({
    type: ResolvedUrlRef,
    nullable: true,
    description:
      "The URL with its variables resolved, in Postman's order: those of the environment, of the request, of the folders " +
      'above it, nearest first, of the collection, then the globals of the workspace. Disabled variables do not count; ' +
      'of several with one name in a list, the last does. null when the environment or the workspace was needed and ' +
      'does not exist, or cannot be read.\n' +
      `Cost: nothing without arguments; one ${toGet(environmentRoute)} per \`environmentUid\`, if the URL has ` +
      `variables; one ${toGet(globalsRoute)} per \`workspaceId\`, if some are still unresolved then.`,
    ...declareRoutesOfArguments(environmentRoute.template, globalsRoute.template),
    args: {
      environmentUid: t.arg.id({ description: 'Uid of the environment to resolve with. Default: none.' }),
      workspaceId: t.arg.id({ description: 'Id of the workspace whose globals apply. Default: no globals.' }),
    },
    resolve: (url, args, context) => resolve(url, args, context),
  }),
);

interface ResolveArgs {
  readonly environmentUid?: string | null | undefined;
  readonly workspaceId?: string | null | undefined;
}

function resolve(
  url: UrlOfRequest,
  { environmentUid, workspaceId }: ResolveArgs,
  context: Context,
): ResolvedUrl | null | Promise<ResolvedUrl | null> {
  const { loaders, resultSize } = context;
  const uid = environmentUid == null ? undefined : parseIdentifierInTree(environmentUid, 'environmentUid', resultSize);
  const id = workspaceId == null ? undefined : parseIdentifierInTree(workspaceId, 'workspaceId', resultSize);
  const resolveWith = (outer: { readonly environment?: unknown; readonly globals?: unknown }): ResolvedUrl => {
    const resolved = resolveUrl(url, url.request, context.scopeOf, outer);
    resultSize.search(resolved.readLength / SEARCHED_PER_VALUE);
    return resolved;
  };
  const withGlobals = async (resolved: ResolvedUrl, environment?: unknown): Promise<ResolvedUrl | null> => {
    if (id === undefined || !resolved.unresolved.some(mayBeGlobal)) return resolved;
    const globals = await loaders.read(globalsCall(id));
    return globals && resolveWith({ environment, globals });
  };

  const inCollection = resolveWith({});
  // Without variables, also resolved ones that the environment could override, neither call can change the URL.
  if (!inCollection.hadReferences || (uid === undefined && id === undefined)) return inCollection;
  if (uid === undefined) return withGlobals(inCollection);
  return readEnvironment(uid, loaders).then((environment) => {
    if (!environment) return null;
    return withGlobals(resolveWith({ environment: environment.values }), environment.values);
  });
}

/** Whether globals could resolve a name: not that of a path variable, nor of one of Postman's dynamic variables. */
const mayBeGlobal = (name: string) => !name.startsWith(':') && !name.startsWith('$');
