import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  isAbstractType,
  isListType,
  isObjectType,
  type GraphQLOutputType,
} from 'graphql';
import type { Level } from '../../upstream/postman/levels.ts';

/** Gives an object type the cost 0; by default gateways count 1 per object. Only fields have costs. */
export const OBJECT_COST = '@cost(weight: 0)';

/**
 * Derives the `@cost` and `@listSize` of a field from its declarations (`carriedBy`, `reads`) and arguments. Gateways
 * use them to price operations, in GETs. Weights add up, so a GET that several fields share counts once for each of
 * them; what a list carries counts with the list.
 *
 * @returns The directives as SDL; none for a field that costs nothing and has no pages.
 */
export function toCostDirectives(field: GraphQLField<unknown, unknown>): readonly string[] {
  const calls = makesCall(field) ? 1 : 0;
  const directives: string[] = [];
  // An interface or union cannot have a cost of its own, so the field would count 1.
  if (calls > 0 || isAbstractType(getNamedType(field.type))) directives.push(`@cost(weight: ${calls})`);
  const pageSize: unknown = field.args.find(({ name }) => name === 'first')?.defaultValue;
  if (typeof pageSize === 'number') {
    // No `assumedSize`: gateways use the default of the argument, and Cosmo rejects a list that has both.
    const sized = sizedFields(field.type).map((name) => `"${name}"`);
    directives.push(
      `@listSize(slicingArguments: ["first"], sizedFields: [${sized.join(', ')}], requireOneSlicingArgument: false)`,
    );
  } else if (calls > 0 && isList(field.type)) {
    // One call reads the whole list; without a size, its cost would count for each item.
    directives.push('@listSize(assumedSize: 1)');
  }
  return directives;
}

/** Whether a field needs a GET in addition to the one that found or listed its parent. */
function makesCall({ extensions }: GraphQLField<unknown, unknown>): boolean {
  const routes = (extensions['reads'] as readonly string[] | undefined) ?? [];
  const levels = (extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
  // One call for the whole operation would count for each object.
  if (extensions['oncePerOperation'] === true) return false;
  return routes.length > 0 || (levels.length > 0 && !levels.includes('ref') && !levels.includes('summary'));
}

const isList = (type: GraphQLOutputType) => isListType(getNullableType(type));

function sizedFields(type: GraphQLOutputType): readonly string[] {
  const connection = getNamedType(type);
  const fields = isObjectType(connection) ? Object.values(connection.getFields()) : [];
  return fields.filter((field) => isList(field.type)).map(({ name }) => name);
}
