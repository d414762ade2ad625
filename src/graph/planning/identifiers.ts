import { badUserInput } from '../errors/bad-user-input.ts';

// Postman's ids are UUIDs, its uids `<owner>-<UUID>`. No character is allowed that could end a path segment.
const IDENTIFIER = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;

/**
 * Validates an id or uid before it is used in the path of an upstream call.
 *
 * @param argument - Name of the GraphQL argument, for the message.
 * @throws {GraphQLError} BAD_USER_INPUT
 */
export function parseIdentifier(value: string, argument: string): string {
  if (IDENTIFIER.test(value)) return value;
  throw badUserInput(`"${argument}" is not a Postman identifier: 1 to 128 letters, digits, "-" and "_".`);
}
