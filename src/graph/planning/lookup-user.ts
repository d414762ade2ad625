/** Looks up users, and reports that the key may not name them once in an operation. */
import { UpstreamError } from '../../upstream/http/upstream-error.ts';
import type { Context } from '../context.ts';
import type { UserNode } from '../refs.ts';
import type { SelectedField } from './selection.ts';

/** Whether a field is selected on a user that only `GET /me` carries. */
export const needsOwner = (selection: readonly SelectedField[]): boolean =>
  selection.some(({ carriedBy }) => carriedBy.join() === 'detail');

/**
 * Looks up a user by id.
 *
 * @param readsOwner - Whether `GET /me` is made anyway. It then serves the key's owner alone.
 * @returns null if the user is neither the owner of the API key nor a member of the team.
 * @throws {UpstreamError} Also if the key may not list the team.
 */
export function lookUpUser(context: Context, id: string, readsOwner: boolean): Promise<UserNode | null> {
  // Requested first, so that the loaders know of it.
  if (readsOwner) context.readAhead.keyOwner().catch(() => undefined);
  return reportingError(context, async ({ loaders }) => {
    const found = await loaders.userById({ id, source: 'either' });
    return found && { id };
  });
}

/** Reads something for a field that always reports its error, so that no name of a user has to report it again. */
export async function reportingError<T>(context: Context, read: (context: Context) => Promise<T>): Promise<T> {
  try {
    return await read(context);
  } catch (error) {
    noteForbidden(error, context);
    throw error;
  }
}

/**
 * Notes that an error is reported. A key that may not list its team may not name any user: one error says so, instead
 * of one for each field of each user.
 *
 * @returns false for a 403 that the operation has reported already.
 */
export function noteForbidden(error: unknown, { reportedErrors }: Context): boolean {
  if (!(error instanceof UpstreamError) || error.kind !== 'forbidden') return true;
  const isNew = !reportedErrors.has(error);
  reportedErrors.add(error);
  return isNew;
}
