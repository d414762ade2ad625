/**
 * Prints the schema as a subgraph of Apollo Federation; exports `printSubgraph` only. Keys and costs come from what
 * types and fields declare (`entityKeys`, `carriedBy`, `reads`), so this file must not import the definitions of
 * types.
 */
import {
  type ConstDirectiveNode,
  type GraphQLSchema,
  isObjectType,
  Kind,
  lexicographicSortSchema,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  printSchema,
  visit,
} from 'graphql';
import { OBJECT_COST, toCostDirectives } from './cost-directives.ts';
import { entityKeys, isEntityType } from './entity-keys.ts';

// The latest version that all composers support.
const LINK =
  '@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@key", "@listSize", "@shareable"])';

/**
 * Prints a schema as the SDL of a federated subgraph: sorted by name, with descriptions, keys, costs and list sizes.
 */
export function printSubgraph(schema: GraphQLSchema): string {
  const document = visit(parse(printSchema(lexicographicSortSchema(schema))), {
    // The gateway itself executes `@defer` and `@stream`: the subgraph has no such directives.
    DirectiveDefinition: () => null,
    SchemaDefinition: (node) => ({ ...node, directives: toDirectives([LINK]) }),
    ObjectTypeDefinition: (node) => withDirectives(node, schema),
  });
  return `${print(document)}\n`;
}

function withDirectives(node: ObjectTypeDefinitionNode, schema: GraphQLSchema): ObjectTypeDefinitionNode {
  const name = node.name.value;
  const type = schema.getType(name);
  const fields = isObjectType(type) ? type.getFields() : {};
  const key = isEntityType(name) ? entityKeys[name] : undefined;
  return {
    ...node,
    directives: toDirectives([
      ...(key === undefined ? [] : [`@key(fields: "${key}")`]),
      // Every subgraph with connections has this type.
      ...(name === 'PageInfo' ? ['@shareable'] : []),
      OBJECT_COST,
    ]),
    fields: (node.fields ?? []).map((fieldNode) => {
      const field = fields[fieldNode.name.value];
      return { ...fieldNode, directives: field ? toDirectives(toCostDirectives(field)) : [] };
    }),
  };
}

/** Parses directives as part of a scalar definition, because graphql-js cannot parse directives alone. */
function toDirectives(texts: readonly string[]): readonly ConstDirectiveNode[] {
  const [definition] = parse(`scalar Any ${texts.join(' ')}`, { noLocation: true }).definitions;
  return definition?.kind === Kind.SCALAR_TYPE_DEFINITION ? (definition.directives ?? []) : [];
}
