import type { PostmanCall } from './postman-call.ts';
import type { ChildResource } from './resources/child-resource.ts';
import {
  workspaceCall,
  workspaceRoute,
  workspacesCall,
  workspacesOfCollectionCall,
  workspacesRoute,
} from './resources/workspaces.ts';
import { childResources } from './routes.ts';

/** Makes a call from the identifier in the path and the parameters of its target. */
type ToCall = (id: string, parameters: URLSearchParams) => PostmanCall<unknown, null>;

/** By template: the calls whose responses show objects that other calls read, too. */
const toCalls: ReadonlyMap<string, ToCall> = new Map<string, ToCall>([
  [workspacesRoute.template, toWorkspacesCall],
  [workspaceRoute.template, workspaceCall],
  ...Object.values<ChildResource>(childResources).map(
    (resource) => [resource.listCall(null, 0).route.template, toChildListCall(resource)] as const,
  ),
]);

/**
 * Makes the call to a target again, if its response shows objects that other calls read, too.
 *
 * @param template - Template of the route.
 * @returns undefined for single reads of these objects, and for targets that this version does not call.
 */
export function toListCall(template: string, target: string): PostmanCall<unknown, null> | undefined {
  const toCall = toCalls.get(template);
  if (!toCall) return undefined;
  const [path = '', query] = target.split('?', 2);
  const call = toCall(decodeURIComponent(path.split('/')[2] ?? ''), new URLSearchParams(query));
  return call.target === target ? call : undefined;
}

function toWorkspacesCall(_id: string, parameters: URLSearchParams): PostmanCall<unknown, null> {
  const collectionUid = parameters.get('elementId');
  if (collectionUid !== null) return workspacesOfCollectionCall(collectionUid);
  const [visibility, createdBy] = [parameters.get('type'), parameters.get('createdBy')];
  const filter = { ...(visibility !== null && { visibility }), ...(createdBy !== null && { createdBy }) };
  return workspacesCall(filter, parameters.get('cursor'));
}

function toChildListCall({ listCall, paging }: ChildResource): ToCall {
  return (_id, parameters) => {
    const [name, workspaceId] = [parameters.get('name'), parameters.get('workspace')];
    return paging && name !== null
      ? paging.byNameCall(name, workspaceId)
      : listCall(workspaceId, Number(parameters.get('offset')));
  };
}
