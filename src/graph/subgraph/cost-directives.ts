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

/** Has objects cost nothing, which otherwise count 1 each: what costs is said by fields. */
export const OBJECT_COST = '@cost(weight: 0)';

/**
 * The `@cost` and `@listSize` of a field, read off what it declares (`carriedBy`, `reads`) and off its arguments: what gateways price operations by,
 * in GETs. A GET that several fields share is counted with each of them, as their weights add up; what a list carries is counted with the list.
 *
 * @returns SDL; empty for a field that costs nothing and has no pages.
 */
export function toCostDirectives(field: GraphQLField<unknown, unknown>): readonly string[] {
  const calls = makesCall(field) ? 1 : 0;
  const directives: string[] = [];
  // An interface or union has no cost of its own, and would count 1.
  if (calls > 0 || isAbstractType(getNamedType(field.type))) directives.push(`@cost(weight: ${calls})`);
  const pageSize: unknown = field.args.find(({ name }) => name === 'first')?.defaultValue;
  if (typeof pageSize === 'number') {
    // Without an assumed size: gateways go by the argument's default, and Cosmo composes no list that has both.
    const sized = sizedFields(field.type).map((name) => `"${name}"`);
    directives.push(
      `@listSize(slicingArguments: ["first"], sizedFields: [${sized.join(', ')}], requireOneSlicingArgument: false)`,
    );
  } else if (calls > 0 && isList(field.type)) {
    // One call has all of it: it would be counted for each item.
    directives.push('@listSize(assumedSize: 1)');
  }
  return directives;
}

/** Whether a field needs a GET, beside the one that found or listed its parent. */
function makesCall({ extensions }: GraphQLField<unknown, unknown>): boolean {
  const routes = (extensions['reads'] as readonly string[] | undefined) ?? [];
  const levels = (extensions['carriedBy'] as readonly Level[] | undefined) ?? [];
  return routes.length > 0 || (levels.length > 0 && !levels.includes('ref') && !levels.includes('summary'));
}

const isList = (type: GraphQLOutputType) => isListType(getNullableType(type));

function sizedFields(type: GraphQLOutputType): readonly string[] {
  const connection = getNamedType(type);
  const fields = isObjectType(connection) ? Object.values(connection.getFields()) : [];
  return fields.filter((field) => isList(field.type)).map(({ name }) => name);
}
