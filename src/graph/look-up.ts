import type { GraphQLResolveInfo } from 'graphql';
import type { Level } from '../loaders/levels.ts';
import { parsePageArgs } from './connection.ts';
import type { Context } from './context.ts';
import { CHILDREN_PAGE_SIZE, toListLevel } from './lists.ts';
import type { CollectionNode, EnvironmentNode, WorkspaceNode } from './refs.ts';
import { type SelectedField, toNodeSelection, toSelection } from './selection.ts';

/**
 * Looks up one workspace that a client named by its id.
 *
 * Everything selected on it is asked for at once, so that the loaders see it together and so that a workspace that
 * does not exist is null itself, instead of an object full of nulls.
 *
 * @throws {UpstreamError} if nothing of it could be read.
 */
export async function lookUpWorkspace(
  context: Context,
  id: string,
  info: GraphQLResolveInfo,
): Promise<WorkspaceNode | null> {
  const { loaders } = context;
  const selection = toSelection(info);
  const levels = selection.map(({ carriedBy }) => carriedBy);
  const parts: Promise<unknown>[] = selection.flatMap((field) => workspaceListOf(field, context, id));
  if (levels.some((carriers) => carriers.includes('summary'))) parts.push(loaders.workspaceSummaryById(id));
  const isOnlyDetail = (carriers: readonly Level[]) => carriers.includes('detail') && !carriers.includes('summary');
  if (levels.some(isOnlyDetail)) parts.push(loaders.workspaceDetailById(id));
  if (parts.length === 0) parts.push(loaders.workspaceSummaryById(id));
  return (await exists(parts)) ? { id, isNamed: true } : null;
}

/** Looks up one collection that something named by its uid. See `lookUpWorkspace`. */
export async function lookUpCollection(
  { loaders }: Context,
  uid: string,
  info: GraphQLResolveInfo,
): Promise<CollectionNode | null> {
  const parts = levelsToRead(toSelection(info), ['summary', 'minimal', 'detail']).map((levels) =>
    loaders.collectionByUid({ uid, levels }),
  );
  return (await exists(parts)) ? { uid } : null;
}

/** Looks up one environment that a client named by its uid. See `lookUpWorkspace`. */
export async function lookUpEnvironment(
  { loaders }: Context,
  uid: string,
  info: GraphQLResolveInfo,
): Promise<EnvironmentNode | null> {
  const parts = levelsToRead(toSelection(info), ['summary', 'detail']).map((levels) =>
    loaders.environmentByUid({ uid, levels }),
  );
  return (await exists(parts)) ? { uid } : null;
}

function workspaceListOf({ name, args, select }: SelectedField, { loaders }: Context, id: string): Promise<unknown>[] {
  if (name !== 'collections' && name !== 'environments') return [];
  const request = { workspaceId: id, level: toListLevel(toNodeSelection(select())), isUnconfirmed: true };
  if (name === 'environments') return [loaders.environmentsByWorkspace(request)];
  try {
    const { first, after } = parsePageArgs(args, CHILDREN_PAGE_SIZE);
    return [loaders.collectionsByWorkspace({ ...request, from: after ? after.index + 1 : 0, count: first })];
  } catch {
    // Bad paging arguments are the child field's to report.
    return [];
  }
}

/** The different sets of levels of which one answer each is needed. Whatever is asked, the thing has to exist. */
function levelsToRead(selection: readonly SelectedField[], everyRead: readonly Level[]): readonly (readonly Level[])[] {
  const declared = selection.map(({ carriedBy }) => carriedBy).filter((carriers) => carriers.length > 0);
  const needed = declared.filter((carriers) => !carriers.includes('own'));
  if (needed.length === 0 && declared.length > 0) return [];
  const sets = needed.map((carriers) => (carriers.includes('ref') ? everyRead : carriers));
  const different = new Map(sets.map((carriers) => [carriers.join(), carriers]));
  return different.size === 0 ? [everyRead] : [...different.values()];
}

/** True unless an answer says that there is no such thing. One part that can be read is enough: the others fail where they are selected. */
async function exists(parts: readonly Promise<unknown>[]): Promise<boolean> {
  const results = await Promise.allSettled(parts);
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length > 0 && failed.length === results.length) throw failed[0]?.reason;
  return results.length === 0 || results.some((result) => result.status === 'fulfilled' && result.value !== null);
}
