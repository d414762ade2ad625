import { childTypes } from '../../upstream/postman/levels.ts';
import { badUserInput } from '../errors/bad-user-input.ts';

// Postman's ids are UUIDs, its uids `<owner>-<UUID>`. No character is allowed that could end a path segment.
const IDENTIFIER = /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/;

// An `id` of this graph with the uid in it, which clients confuse with the uid.
const TYPED_ID = new RegExp(`^(?:${childTypes.join('|')}):([0-9A-Za-z_-]{1,128})$`);

/** Whether text can be an id or uid of Postman. */
export const isIdentifier = (text: string) => IDENTIFIER.test(text);

/**
 * Validates an id or uid before it is used in the path of an upstream call.
 *
 * @param argument - Name of the GraphQL argument, for the message.
 * @throws {GraphQLError} BAD_USER_INPUT
 */
export function parseIdentifier(value: string, argument: string): string {
  if (isIdentifier(value)) return value;
  const uid = TYPED_ID.exec(value)?.[1];
  if (uid !== undefined && argument.endsWith('uid'))
    throw badUserInput(`"${argument}" is the \`id\` of an object. Pass its \`uid\`, ${uid}, or use \`node(id:)\`.`);
  throw badUserInput(`"${argument}" is not a Postman identifier: 1 to 128 letters, digits, "-" and "_".`);
}
