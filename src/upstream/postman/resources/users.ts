import { isJsonObject, toId } from '../../collection-format/syntax/json.ts';
import { listAt, toMoment, toPlainText, toTexts } from './body.ts';
import type { PostmanCall, PostmanRoute } from '../postman-call.ts';

/** A member of the team of the API key's user. */
export interface TeamMember {
  readonly id: string;
  readonly username: string | null;
  readonly fullName: string | null;
  readonly email: string | null;
  readonly roles: readonly string[] | null;
  readonly joinedAt: string | null;
}

/** `GET /users`. */
export const usersRoute = {
  template: '/users',
  routeClass: 'general',
  carries: [{ type: 'User', levels: ['summary'] }],
} as const satisfies PostmanRoute;

// Whether a key may list its team changes seldom, and an account without a team would pay for each operation.
const FORBIDDEN_TTL_MS = 300_000;

/** Requests all members of the team. Postman refuses a user without a team, and guests, with a 403. */
export const usersCall = (): PostmanCall<readonly TeamMember[]> => ({
  route: usersRoute,
  target: '/users',
  parse: (body) => listAt(body, 'data').flatMap((item) => toTeamMember(item) ?? []),
  forbiddenTtlMs: FORBIDDEN_TTL_MS,
  simulate: ({ memberIds }) =>
    memberIds.map((id) => ({ id, username: null, fullName: null, email: null, roles: null, joinedAt: null })),
});

function toTeamMember(item: unknown): TeamMember | null {
  if (!isJsonObject(item)) return null;
  const id = toId(item['id']);
  if (id === null) return null;
  return {
    id,
    username: toPlainText(item['username']),
    // `GET /me` has the same text as `fullName`.
    fullName: toPlainText(item['name']),
    email: toPlainText(item['email']),
    roles: toTexts(item['roles']),
    joinedAt: toMoment(item['joinedAt']),
  };
}
