import { toId } from '../../collection-format/syntax/json.ts';
import { objectAt, toPlainText, toTeamId, toTexts, UnexpectedShapeError } from './body.ts';
import type { PostmanCall, PostmanRoute } from '../postman-call.ts';

/** The user who owns an API key. */
export interface KeyOwner {
  readonly id: string;
  readonly username: string | null;
  readonly fullName: string | null;
  readonly email: string | null;
  readonly avatarUrl: string | null;
  /** null: no team. */
  readonly teamId: string | null;
  readonly teamName: string | null;
  readonly roles: readonly string[] | null;
}

/** `GET /me`. */
export const meRoute = {
  template: '/me',
  routeClass: 'general',
  carries: [{ type: 'User', levels: ['detail'] }],
} as const satisfies PostmanRoute;

/** Requests the owner of the API key. */
export const meCall = (): PostmanCall<KeyOwner> => ({
  route: meRoute,
  target: '/me',
  parse: parseKeyOwner,
  keyOwnerIn: ({ id }) => id,
  simulate: ({ keyOwnerId }) => ({
    id: keyOwnerId,
    username: null,
    fullName: null,
    email: null,
    avatarUrl: null,
    teamId: null,
    teamName: null,
    roles: null,
  }),
});

/** Reads `GET /me`. @throws {UnexpectedShapeError} */
function parseKeyOwner(body: unknown): KeyOwner {
  const user = objectAt(body, 'user');
  const id = toId(user['id']);
  if (id === null) throw new UnexpectedShapeError('The response has no "user.id".');
  return {
    id,
    username: toPlainText(user['username']),
    fullName: toPlainText(user['fullName']),
    email: toPlainText(user['email']),
    avatarUrl: toPlainText(user['avatar']),
    teamId: toTeamId(user['teamId']),
    teamName: toPlainText(user['teamName']),
    roles: toTexts(user['roles']),
  };
}
